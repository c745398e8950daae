"""Trains the networks of `models.real3d` in the stages of their paper."""
