"""Volume rendering of the head in parallel rays: where its surface is seen, and the features there.

The head is where a distance is negative: behind the portrait's own lifted depth, within its outline, not farther back
than a shell; what the planes say is added. A ray sees what lies where that distance changes its sign, as NeuS (Wang et
al., 2021) has it, at the very place between two samples.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.small.motion_adapter import Change
from models.small.reading import read
from models.small.settings import FAR, FEATURES, NEAR, SAMPLES, SIDE_FEATURES

_SHELL = 0.3
"""Thickness of the head's surface, box units."""
_SHARPNESS = 50.0
_LEARNT = 0.1
"""Of the distance that the planes add, box units."""
_PLANE_AHEAD = 0.1
"""Depth at which rays that miss the head are read."""


class Seen(NamedTuple):
    """What the rays saw."""

    features: Float[Tensor, "b 16 r s"]
    opacity: Float[Tensor, "b 1 r s"]
    place: Float[Tensor, "b 2 r s"]
    """Where in the box, across and down."""


class Planes(NamedTuple):
    """A portrait."""

    front: Float[Tensor, "b 18 64 64"]
    """Features, then the geometry: depth and edge."""
    across: Float[Tensor, "b 16 64 64"]
    """Of the planes that run along x and z, and along z and y."""


class Renderer(nn.Module):
    """Planes, their change and a rotation -> `Seen`."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(FEATURES + SIDE_FEATURES, 32)
        self.out = nn.Linear(32, 1 + FEATURES)
        nn.init.zeros_(self.out.weight[:1])
        nn.init.zeros_(self.out.bias[:1])

    def forward(
        self,
        planes: Planes,
        change: Change,
        rotation: Float[Tensor, "b 3 3"],
        pixels: Float[Tensor, "n 2"],
        rows: int,
        samples: int = SAMPLES[0],
    ) -> Seen:
        """Looks along rays through `pixels` (-1..1 across and down, row by row), of which there are `rows` rows."""
        batch, count = len(rotation), len(pixels)
        depths = torch.linspace(NEAR, FAR, samples, device=pixels.device)
        flat = pixels @ rotation[:, :2]  # the inverse of a rotation is its transpose: rows are columns
        points = flat[:, :, None] + depths[:, None] * rotation[:, None, 2:]
        moved = read(torch.cat([change.shift, change.features], 1), points[..., :2])
        at_rest = points + moved[:, :3].permute(0, 2, 3, 1)
        front = read(planes.front, at_rest[..., :2])
        one, other = planes.across.chunk(2, 1)
        right, down, away = points.unbind(-1)  # no list of indices has to travel to the device
        across = read(one, torch.stack([right, away], -1)) + read(other, torch.stack([away, down], -1))
        features = torch.cat([front[:, :FEATURES] + moved[:, 3:], across], 1)
        answer = self.out(functional.leaky_relu(self.hidden(features.permute(0, 2, 3, 1)), 0.1))
        behind = front[:, FEATURES] - at_rest[..., 2]
        distance = torch.maximum(torch.maximum(behind, front[:, FEATURES + 1]), -_SHELL - behind)
        distance = distance + _LEARNT * torch.tanh(answer[..., 0])
        weights, part = _crossings(distance)
        opacity = weights.sum(-1, keepdim=True)
        place = _sum(weights, part, points[..., :2]) + (1 - opacity) * _beside(flat, rotation)
        seen = _sum(weights, part, answer[..., 1:])

        def picture(x: Float[Tensor, "b n c"]) -> Float[Tensor, "b c r s"]:
            return x.transpose(1, 2).reshape(batch, x.shape[2], rows, count // rows)

        return Seen(picture(seen), picture(opacity), picture(place))


def _crossings(
    distance: Float[Tensor, "b n s"],
) -> tuple[Float[Tensor, "b n t"], Float[Tensor, "b n t"]]:
    """How much of what a ray sees lies between each sample and the next, and at which part of the way."""
    outside = torch.sigmoid(_SHARPNESS * distance)
    here, there = outside[..., :-1], outside[..., 1:]
    opaque = ((here - there) / (here + 1e-4)).clamp(0, 1)
    thickness = -torch.log((1 - opaque).clamp(min=1e-6))
    count = distance.shape[-1] - 1
    before = thickness @ torch.ones(count, count, device=distance.device).triu(1)
    first, second = distance[..., :-1], distance[..., 1:]
    part = (first / (first - second).clamp(min=1e-4)).clamp(0, 1)
    return torch.exp(-before) * opaque, part


def _sum(
    weights: Float[Tensor, "b n t"], part: Float[Tensor, "b n t"], values: Float[Tensor, "b n s c"]
) -> Float[Tensor, "b n c"]:
    """Values at the crossings, between those of the samples."""
    early, late = functional.pad(weights * (1 - part), (0, 1)), functional.pad(weights * part, (1, 0))
    return ((early + late)[..., None, :] @ values)[..., 0, :]


def _beside(flat: Float[Tensor, "b n 3"], rotation: Float[Tensor, "b 3 3"]) -> Float[Tensor, "b n 2"]:
    return flat[..., :2] + _PLANE_AHEAD * rotation[:, 2:, :2]
