"""The truth guard: whether what the other end sees of somebody still is what the camera sees."""
