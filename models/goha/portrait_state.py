"""What the frame network needs of a portrait, computed once."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from models.gfpgan.restoration import Picture
from models.goha.face_mask import Mask
from models.goha.model import Camera, Goha
from models.goha.ways_at_hand import ways_on
from models.triplane import Planes


@dataclass(frozen=True, slots=True)
class PortraitParts:
    """What the networks are given of a portrait."""

    picture: Picture
    """Of `crop.network_picture`."""
    camera: Camera
    """That took it."""
    face: Float[Tensor, "b 3 224 224"]
    """The face model with the portrait's own expression, see `face_picture`."""
    rest: Float[Tensor, "b n 3"]
    """This and what follows: of `face_picture.Person`."""
    texture: Float[Tensor, "b n 3"]
    light: Float[Tensor, "b 9 3"]
    pose: Float[Tensor, "b 4 3"]

    def to(self, device: torch.device) -> "PortraitParts":
        """The same on a device."""
        return PortraitParts(**{name: getattr(self, name).to(device) for name in self.__slots__})


class PortraitState(NamedTuple):
    """Tensors that stay the same from frame to frame."""

    normalised: Picture
    """This and the next three: of `model.Source`."""
    keep: Mask
    source_camera: Camera
    canonical: Planes
    frozen: Planes
    """The person at rest, with the appearance as it lies on the surface of the portrait's own expression."""
    rest: Float[Tensor, "b n 3"]
    """This and what follows: of `face_picture.Person`."""
    texture: Float[Tensor, "b n 3"]
    light: Float[Tensor, "b 9 3"]
    pose: Float[Tensor, "b 4 3"]


PAINT = ("rest", "texture", "light", "pose")
"""What is painted with alone."""


@torch.no_grad()
def prepare(model: Goha, portrait: PortraitParts) -> PortraitState:
    """Runs everything that depends on the portrait alone; half a minute on a CPU."""
    source = model.source(portrait.picture, portrait.camera)
    appearance = model.appearance(
        source.canonical + model.expression(portrait.face), source, ways_on(model, portrait.picture.device)
    )
    return PortraitState(
        source.normalised,
        source.keep,
        source.camera,
        source.canonical,
        source.canonical + appearance,
        portrait.rest,
        portrait.texture,
        portrait.light,
        portrait.pose,
    )
