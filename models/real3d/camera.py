"""How the head's pose becomes the renderer's camera: the 25 numbers that EG3D calls a camera label.

The released networks keep the head still and move the camera around it. A pose is what the face model is turned and
shifted by: `euler`, radians about x, y and z, and `translation`, decimetres; x right in the picture, y up, z towards
the camera. The model's vertices are rows, so a pose is `vertex @ rotation + translation`.
"""

import numpy as np
from jaxtyping import Float, Float32, Float64
from scipy.spatial.transform import Rotation

from models.bfm import CAMERA_DISTANCE

FOCAL = 2985.29 / 700.0
"""Of the renderer's camera, over the picture's side: a narrower view than the face model's own camera has."""
_SCALE = 0.27  # of the renderer's world, per decimetre
_CENTRE = (0.0, 0.006, 0.161)  # of the face model in that world


def row_rotation(euler: Float[np.ndarray, "*t 3"]) -> Float64[np.ndarray, "*t 3 3"]:
    """Matrices that turn row vectors: about x first, then y, then z, each right-handed."""
    turns = Rotation.from_euler("xyz", euler.reshape(-1, 3)).as_matrix()
    return np.swapaxes(turns, 1, 2).reshape(*euler.shape, 3)


def camera_labels(
    euler: Float[np.ndarray, "*t 3"], translation: Float[np.ndarray, "*t 3"]
) -> Float32[np.ndarray, "*t 25"]:
    """Camera to world, 4 x 4 row by row, then the 3 x 3 intrinsics over the picture's side."""
    rotation = row_rotation(euler)
    towards = translation.astype(np.float64) - [0.0, 0.0, CAMERA_DISTANCE]
    labels = np.zeros((*euler.shape[:-1], 25))
    to_world = labels[..., :16].reshape(*euler.shape[:-1], 4, 4)
    to_world[..., :3, :3] = rotation * [1.0, -1.0, -1.0]
    to_world[..., :3, 3] = -_SCALE * (rotation @ towards[..., None])[..., 0] + _CENTRE
    to_world[..., 3, 3] = 1.0
    labels[..., :16] = to_world.reshape(*euler.shape[:-1], 16)
    labels[..., 16:] = (FOCAL, 0, 0.5, 0, FOCAL, 0.5, 0, 0, 1)
    return labels.astype(np.float32)
