"""How the head's pose becomes the renderer's camera.

The released networks keep the head still and move the camera around it. A pose is what the face model is turned and
shifted by: `euler`, radians about x, y and z, and `translation`, decimetres; x right in the picture, y up, z towards
the camera. The model's vertices are rows, so a pose is `vertex @ rotation + translation`.
"""

import numpy as np
from jaxtyping import Float, Float32

from models.bfm import CAMERA_DISTANCE
from models.camera import labels, row_rotation

_SCALE = 0.27  # of the renderer's world, per decimetre
_CENTRE = (0.0, 0.006, 0.161)  # of the face model in that world


def camera_labels(
    euler: Float[np.ndarray, "*t 3"], translation: Float[np.ndarray, "*t 3"]
) -> Float32[np.ndarray, "*t 25"]:
    """The 25 numbers of `models.camera.labels`."""
    rotation = row_rotation(euler)
    towards = translation.astype(np.float64) - [0.0, 0.0, CAMERA_DISTANCE]
    return labels(rotation, -_SCALE * (rotation @ towards[..., None])[..., 0] + _CENTRE)
