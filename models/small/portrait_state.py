"""What the frame network needs of a portrait, computed once."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from models.small.model import SmallModel
from models.small.skin import even_skin


@dataclass(frozen=True, slots=True)
class PortraitParts:
    """What the networks are given of a portrait."""

    texture: Float[Tensor, "b 4 256 256"]
    """Of `lifting.Lifted`, 0..1."""
    geometry: Float[Tensor, "b 2 64 64"]
    codes: Float[Tensor, "b 3 160 160"]
    """The portrait's own expression as a code picture."""
    places: Float[Tensor, "b 4 160 160"]
    """Of its codes, see `code_picture.CodePainter.places`."""

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
    skin: Float[Tensor, "b 3 160 160"]
    codes: Float[Tensor, "b 3 160 160"]
    places: Float[Tensor, "b 4 160 160"]


@torch.no_grad()
def prepare(model: SmallModel, portrait: PortraitParts) -> PortraitState:
    """Runs everything that depends on the portrait alone."""
    planes, condition = model.planes(portrait.texture, portrait.geometry)
    texture, codes = portrait.texture, portrait.codes
    skin = even_skin(texture, codes)
    return PortraitState(planes.front, planes.across, condition, texture, skin, codes, portrait.places)
