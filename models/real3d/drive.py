"""What is new with every frame."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from models.real3d.torso_motion import KeyPoints


class Drive(NamedTuple):
    """One instant of a person: a few hundred numbers, of which pictures are made where the networks run."""

    identity: Float[Tensor, "b 80"]
    """Of the face model, as is the expression."""
    expression: Float[Tensor, "b 64"]
    closures: Float[Tensor, "b 2"]
    """How far the right and the left eye close, 0..1; sides are the subject's."""
    camera: Float[Tensor, "b 25"]
    """Of `camera_labels`."""
    key_points: KeyPoints

    def to(self, device: torch.device) -> "Drive":
        """The same on a device."""
        return Drive(*(values.to(device) for values in self))
