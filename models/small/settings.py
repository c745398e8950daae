"""Sizes that the small networks share."""

FEATURES, SIDE_FEATURES = 16, 8
"""Channels of the plane that faces the camera, and of each of the two across it."""
CONDITION = 32
"""Channels of what the image network tells the motion adapter."""
RAYS = 64
"""Of a picture, across and down."""
SAMPLES = (12, 8)
"""Along each ray, at every level of quality; the best first."""
NEAR, FAR = -0.72, 0.5
"""Of samples: depths in the box as the camera sees it."""
