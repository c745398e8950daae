"""The camera that the generator's pictures are taken with: as far away as ever, turned around the head."""

import math

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

_FOCAL = 3.6
"""Focal length over the picture's side: a wider view than EG3D's own."""
_DISTANCE = 2.7
_PIVOT = (0.0, 0.05, 0.2)
"""What it looks at, in the renderer's world."""
_POLE = 1e-5
"""How near to straight up and down it comes, radians."""


def camera_label(yaw: float, pitch: float) -> Float32[np.ndarray, "25"]:
    """`camera_labels` of one."""
    angles = torch.tensor([[yaw], [pitch]], dtype=torch.float64)
    return camera_labels(*angles)[0].numpy().astype(np.float32)


def camera_labels(yaw: Float[Tensor, "b"], pitch: Float[Tensor, "b"]) -> Float[Tensor, "b 25"]:
    """The 25 numbers of `models.volume.camera_rays` for each, with gradients.

    Args:
        yaw: radians; 0 is from the front, positive from the right of the picture.
        pitch: about radians, spread evenly over a sphere's area; 0 is level, positive from below.
    """
    around = math.pi / 2 - yaw
    share = (math.pi / 2 + pitch).clamp(_POLE, math.pi - _POLE) / math.pi
    down = torch.arccos(1 - 2 * share)
    position = _DISTANCE * torch.stack([down.sin() * around.cos(), down.cos(), down.sin() * around.sin()], -1)
    ahead = functional.normalize(position.new_tensor(_PIVOT) - position, dim=-1)
    right = functional.normalize(torch.cross(ahead, ahead.new_tensor((0.0, 1.0, 0.0)).expand_as(ahead), -1), dim=-1)
    columns = torch.stack([right, torch.cross(ahead, right, -1), ahead, position], -1)
    last = yaw.new_tensor([0.0, 0, 0, 1]).expand(len(yaw), 1, 4)
    lens = yaw.new_tensor([_FOCAL, 0, 0.5, 0, _FOCAL, 0.5, 0, 0, 1]).expand(len(yaw), 9)
    return torch.cat([torch.cat([columns, last], 1).flatten(1), lens], 1)
