"""What is new with every frame."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Drive(NamedTuple):
    """One instant of a portrait's face, of which pictures are made where the networks run."""

    canonical: Float[Tensor, "b 478 3"]
    """Its points, see `models.face.FaceModel`."""
    rotation: Float[Tensor, "b 3 3"]
    """Of the head in the picture."""

    def to(self, device: torch.device) -> "Drive":
        """The same on a device."""
        return Drive(*(values.to(device) for values in self))
