"""Tri-planes: features of a point in space, read from three images of the cube around the head."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.triplane_kernels import add_texels

Planes = Float[Tensor, "b p c h w"]
Points = Float[Tensor, "b n 3"]

PlaneAxes = tuple[tuple[int, int], ...]
"""For each plane, the axes of space that run along its rows (to the right) and its columns (down)."""

LookUp = Callable[[Planes, Points, PlaneAxes], Float[Tensor, "b n c"]]
"""`look_up`, or another that gives the same."""


class Sample(NamedTuple):
    """What the field holds at some points."""

    colour: Float[Tensor, "*points c"]
    """Features, the first three of them red, green and blue; -0.001..1.001."""
    density: Float[Tensor, "*points 1"]
    """Before the marcher's softplus."""


def look_up(planes: Planes, points: Points, axes: PlaneAxes) -> Float[Tensor, "b n c"]:
    """Sum over the planes of what each holds at the points' projections, bilinear.

    `points` lie in -1..1 within the cube; there is nothing outside. A plane's corners are the cube's: its pixels lie
    between them.
    """
    total = None
    for plane, (right, down) in zip(planes.unbind(1), axes, strict=True):
        where = torch.stack([points[..., right], points[..., down]], -1)[:, None]
        seen = functional.grid_sample(plane, where, padding_mode="zeros", align_corners=False)
        total = seen if total is None else total + seen
    assert total is not None
    return total[:, :, 0].transpose(1, 2)


def look_up_on_cpu(planes: Planes, points: Points, axes: PlaneAxes) -> Float[Tensor, "b n c"]:
    """`look_up` of float32 tensors on the CPU, about three times as fast: a texel's features are laid side by side."""
    texels = functional.pad(planes, (1, 1, 1, 1)).permute(0, 1, 3, 4, 2).contiguous().numpy()
    total = np.zeros((*points.shape[:2], planes.shape[2]), np.float32)
    for of_batch, places, seen in zip(texels, points.numpy(), total, strict=True):
        for plane, (right, down) in zip(of_batch, axes, strict=True):
            add_texels(plane, places, right, down, seen)
    return torch.from_numpy(total)


class EqualisedLinear(nn.Module):
    """Linear map whose stored weight has unit variance: it is divided by the root of its inputs' number."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    def scaled_weight(self) -> Float[Tensor, "o i"]:
        """The weight as it is applied."""
        return self.weight / self.weight.shape[1] ** 0.5

    def forward(self, x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        """The mapped vectors."""
        return functional.linear(x, self.scaled_weight(), self.bias)


class FieldDecoder(nn.Module):
    """Two layers that turn a point's features into density and colour."""

    def __init__(self, inputs: int = 32, hidden: int = 64, colours: int = 32) -> None:
        super().__init__()
        self.net = nn.Sequential(EqualisedLinear(inputs, hidden), nn.Softplus(), EqualisedLinear(hidden, 1 + colours))

    def forward(self, features: Float[Tensor, "*points i"]) -> Sample:
        """What the field holds where it has these features."""
        return read_sample(self.net(features))

    def layers(self) -> tuple[EqualisedLinear, EqualisedLinear]:
        """The linear maps before and after the activation."""
        first, _, last = self.net
        assert isinstance(first, EqualisedLinear) and isinstance(last, EqualisedLinear)
        return first, last


def read_sample(answer: Float[Tensor, "*points n"]) -> Sample:
    """The decoder's last layer, read: density first; colours go a little beyond 0..1, so that they can reach both."""
    return Sample(1.002 * torch.sigmoid(answer[..., 1:]) - 0.001, answer[..., :1])
