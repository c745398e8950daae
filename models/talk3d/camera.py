"""The camera that the generator's pictures are taken with: as far away as ever, turned around the head."""

import math

import numpy as np
from jaxtyping import Float, Float32

FOCAL = 3.6
"""Focal length over the picture's side: a wider view than EG3D's own."""
DISTANCE = 2.7
PIVOT = (0.0, 0.05, 0.2)
"""What it looks at, in the renderer's world."""
POLE = 1e-5
"""How near to straight up and down it comes, radians."""


def camera_label(yaw: float, pitch: float) -> Float32[np.ndarray, "25"]:
    """The 25 numbers of `models.volume.camera_rays`.

    Args:
        yaw: radians; 0 is from the front, positive from the right of the picture.
        pitch: about radians, spread evenly over a sphere's area; 0 is level, positive from below.
    """
    around = math.pi / 2 - yaw
    share = min(max(math.pi / 2 + pitch, POLE), math.pi - POLE) / math.pi
    down = math.acos(1 - 2 * share)
    position = DISTANCE * np.array(
        [math.sin(down) * math.cos(around), math.cos(down), math.sin(down) * math.sin(around)]
    )
    ahead = _unit(PIVOT - position)
    right = _unit(np.cross(ahead, (0.0, 1.0, 0.0)))
    to_world = np.eye(4)
    to_world[:3] = np.stack([right, np.cross(ahead, right), ahead, position], 1)
    lens = (FOCAL, 0, 0.5, 0, FOCAL, 0.5, 0, 0, 1)
    return np.concatenate([to_world.ravel(), lens]).astype(np.float32)


def _unit(vector: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    return vector / np.linalg.norm(vector)
