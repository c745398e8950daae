"""How the head's pose becomes the renderer's camera: always as far away, looking from where the pose says.

Poses are those of `models.bfm`: see `models.real3d.camera`, which knows the head's place and distance besides.
"""

import numpy as np
from jaxtyping import Float, Float32

from models.bfm import CAMERA_DISTANCE
from models.camera import labels, row_rotation

DISTANCE = 2.7
"""Of the camera from the middle of the renderer's world."""


def camera_labels(
    euler: Float[np.ndarray, "*t 3"], translation: Float[np.ndarray, "*t 3"]
) -> Float32[np.ndarray, "*t 25"]:
    """The 25 numbers of `models.camera.labels`, of a pose in radians and decimetres."""
    rotation = row_rotation(euler)
    towards = translation.astype(np.float64) - [0.0, 0.0, CAMERA_DISTANCE]
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    return labels(rotation, -DISTANCE * (rotation @ towards[..., None])[..., 0])
