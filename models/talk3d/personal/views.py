"""A generator's pictures as something to learn from: cameras, styles and planes with gradients."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from models.stylegan import Style, double, doubling_kernels
from models.talk3d.backbone import FirstBlock, PlaneBlock, PlaneSynthesis
from models.talk3d.camera import camera_labels
from models.talk3d.generator import Camera, Features, Generator, Picture
from models.talk3d.size import LATENT
from models.triplane import Planes

FRONTAL_PITCH = -0.1
"""Of the camera from which the authors look at the average face."""


class View(NamedTuple):
    """What one camera or several see."""

    seen: Features
    picture: Picture

    @property
    def rough(self) -> Float[Tensor, "b 3 v v"]:
        """The picture before it is enlarged."""
        return self.seen[:, :3]


def view(generator: Generator, planes: Planes, style: Style, camera: Camera, samples: int) -> View:
    """What a generator draws of planes."""
    seen = generator.look(planes, camera, count=samples)
    return View(seen, generator.superresolution(seen, style))


def layered_planes(synthesis: PlaneSynthesis, styles: Float[Tensor, "styles 512"]) -> Planes:
    """The planes where each layer has a style of its own; a block's colours share that of the next block's first."""
    first, *others = synthesis.children()
    assert isinstance(first, FirstBlock)
    x = first.conv1(first.const[None], styles[0])
    planes = first.torgb(x, styles[1])
    for number, block in enumerate(others):
        assert isinstance(block, PlaneBlock)
        before, within, colours = styles[2 * number + 1 : 2 * number + 4]
        x = block.conv1(block.conv0(x, before), within)
        planes = double(planes, doubling_kernels(block.resample_filter, planes.shape[1])) + block.torgb(x, colours)
    return torch.unflatten(planes, 1, (3, -1))


class Latents(NamedTuple):
    """Where a generator's latent vectors lie."""

    mean: Style
    spread: float
    """Root of the mean square distance from there."""


@torch.no_grad()
def latents(generator: Generator, count: int = 10_000) -> Latents:
    """Of so many random faces, seen from the front."""
    found = random_latents(generator, torch.Generator().manual_seed(123), count)
    mean = found.mean(0)
    return Latents(mean, float((found - mean).square().sum(1).mean().sqrt()))


def random_latents(generator: Generator, draw: torch.Generator, count: int) -> Float[Tensor, "n 512"]:
    """Of random faces."""
    weight = generator.backbone.mapping.fc1.weight
    z = torch.randn(count, LATENT, generator=draw).to(weight.device)
    straight = torch.zeros(1, device=weight.device)
    return generator.backbone.mapping(z, camera_labels(straight, straight).expand(count, -1))
