"""The renderers' camera as 25 numbers, which EG3D (Chan et al., 2022) calls a camera label, and how poses turn."""

import numpy as np
from jaxtyping import Float, Float32, Float64
from scipy.spatial.transform import Rotation

FOCAL = 2985.29 / 700.0
"""Focal length over the picture's side: a narrower view than the face model's own camera has."""


def row_rotation(euler: Float[np.ndarray, "*t 3"]) -> Float64[np.ndarray, "*t 3 3"]:
    """Matrices that turn row vectors: about x first, then y, then z, each right-handed; radians."""
    turns = Rotation.from_euler("xyz", euler.reshape(-1, 3)).as_matrix()
    return np.swapaxes(turns, 1, 2).reshape(*euler.shape, 3)


def labels(rotation: Float[np.ndarray, "*t 3 3"], position: Float[np.ndarray, "*t 3"]) -> Float32[np.ndarray, "*t 25"]:
    """Camera to world, 4 x 4 row by row, then the 3 x 3 intrinsics over the picture's side.

    Args:
        rotation: of the head whose camera it is, see `row_rotation`.
        position: of the camera, in the renderer's world.
    """
    out = np.zeros((*position.shape[:-1], 25))
    to_world = out[..., :16].reshape(*position.shape[:-1], 4, 4)
    to_world[..., :3, :3] = rotation * [1.0, -1.0, -1.0]
    to_world[..., :3, 3] = position
    to_world[..., 3, 3] = 1.0
    out[..., :16] = to_world.reshape(*position.shape[:-1], 16)
    out[..., 16:] = (FOCAL, 0, 0.5, 0, FOCAL, 0.5, 0, 0, 1)
    return out.astype(np.float32)
