"""What the frame network needs of a portrait, computed once."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from models.small.model import SmallModel


@dataclass(frozen=True, slots=True)
class PortraitParts:
    """What the networks are given of a portrait."""

    texture: Float[Tensor, "b 4 256 256"]
    """Of `lifting.Lifted`, 0..1."""
    geometry: Float[Tensor, "b 2 64 64"]
    codes: Float[Tensor, "b 3 160 160"]
    """The portrait's own expression as a code picture."""

    def to(self, device: torch.device) -> "PortraitParts":
        """The same on a device."""
        return PortraitParts(**{name: getattr(self, name).to(device) for name in self.__slots__})


class PortraitState(NamedTuple):
    """Tensors that stay the same from frame to frame."""

    front: Float[Tensor, "b 18 64 64"]
    """This and the next: of `renderer.Planes`."""
    across: Float[Tensor, "b 16 64 64"]
    condition: Float[Tensor, "b 32 64 64"]
    texture: Float[Tensor, "b 4 256 256"]
    codes: Float[Tensor, "b 3 160 160"]


@torch.no_grad()
def prepare(model: SmallModel, portrait: PortraitParts) -> PortraitState:
    """Runs everything that depends on the portrait alone."""
    planes, condition = model.planes(portrait.texture, portrait.geometry)
    return PortraitState(planes.front, planes.across, condition, portrait.texture, portrait.codes)
