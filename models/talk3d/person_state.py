"""What the frame network needs of a person, computed once."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from models.talk3d.model import Talk3D
from models.talk3d.stages import Deepest, First, Planes32, Second
from models.talk3d.transformer import Places


@dataclass(frozen=True, slots=True)
class PersonParts:
    """What the networks are given of a person."""

    latent: Float[Tensor, "1 512"]

    def to(self, device: torch.device) -> "PersonParts":
        """The same on a device."""
        return PersonParts(self.latent.to(device))


class PersonState(NamedTuple):
    """Tensors that stay the same from frame to frame; none is ever written to."""

    planes: Planes32
    """Of the neutral self."""
    first: First
    """This and what follows: of `delta_planes.PlaneFeatures`."""
    second: Second
    deepest: Deepest
    within: Places
    queries: Places


@torch.no_grad()
def prepare(model: Talk3D, person: PersonParts) -> PersonState:
    """Runs everything that depends on the person alone; ten seconds on a CPU."""
    known = model.person(person.latent[0])
    features = known.features
    return PersonState(known.planes, features.first, features.second, *features.settled)
