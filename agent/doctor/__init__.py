"""`agent doctor`: what this machine says (`facts`), what was tried (`trials`), what that means (`checks`)."""
