"""How steeply a face may fall away from the camera."""

import numpy as np
from jaxtyping import Float32
from scipy.spatial.distance import cdist

from models.topology import SURFACE_COUNT

_STEEPEST = 6.0  # depth per distance in the picture


def with_gentle_slopes(landmarks: Float32[np.ndarray, "478 3"]) -> Float32[np.ndarray, "478 3"]:
    """The same points in the picture, brought forward where they fall away too steeply.

    A cheek that the photo shows edge on, or what stands beside it, has a few pixels for all of its depth; turned
    towards the camera, they would be drawn out to streaks and a second outline.
    """
    surface = landmarks[:SURFACE_COUNT]
    away = cdist(landmarks[:, :2], surface[:, :2])
    out = landmarks.copy()
    out[:, 2] = np.minimum(landmarks[:, 2], (surface[:, 2] + _STEEPEST * away).min(1))
    return out
