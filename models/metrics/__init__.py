"""How far a drawn face is from what it should be: one measure a function, pictures and points in, numbers out."""
