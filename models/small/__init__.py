"""A small neural avatar of our own: networks that our built-in engine taught."""
