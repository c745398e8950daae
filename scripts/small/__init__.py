"""How the small model is taught: portraits, teacher, data set, losses."""
