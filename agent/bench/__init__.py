"""`agent bench`: what a run is like, measured from outside."""
