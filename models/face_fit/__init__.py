"""The Basel face model laid over faces: over a photo's landmarks, and over the motions that drive it."""
