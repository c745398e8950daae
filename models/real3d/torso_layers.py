"""Layers of the torso model, named as in its weights: every block keeps its parts in `layers`."""

from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Dims = Literal[2, 3]
CONV = {2: nn.Conv2d, 3: nn.Conv3d}
NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}

Grid = Float[Tensor, "b c *size"]


class SpectralConv2d(nn.Module):
    """Convolution whose weight is divided by its largest singular value, which two stored vectors give."""

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.weight_orig = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.register_buffer("weight_u", torch.empty(outputs))
        self.register_buffer("weight_v", torch.empty(inputs * kernel * kernel))

    def normalised_weight(self) -> Float[Tensor, "o i k k"]:
        """The weight as it is applied."""
        return self.weight_orig / (self.weight_u @ self.weight_orig.flatten(1) @ self.weight_v)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        """The filtered map, of the same size."""
        return functional.conv2d(x, self.normalised_weight(), self.bias, padding="same")


def conv(dims: Dims, inputs: int, outputs: int, kernel: int, spectral: bool = False) -> nn.Module:
    """Convolution that keeps the size."""
    if spectral:
        return SpectralConv2d(inputs, outputs, kernel)
    return CONV[dims](inputs, outputs, kernel, padding=kernel // 2)


class Layered(nn.Module):
    """What lies in `layers`, one after the other."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Grid) -> Float[Tensor, "b _ *_size"]:
        """The last layer's result."""
        return self.layers(x)


class ConvNormAct(Layered):
    """Convolution, batch norm, activation."""

    def __init__(
        self, dims: Dims, inputs: int, outputs: int, kernel: int = 3, spectral: bool = False, slope: float = 0.0
    ) -> None:
        """`slope`: of the activation below zero."""
        act = nn.LeakyReLU(slope) if slope else nn.ReLU()
        super().__init__(conv(dims, inputs, outputs, kernel, spectral), NORM[dims](outputs), act)


class NormActConv(Layered):
    """Batch norm, ReLU, 3x3 convolution."""

    def __init__(self, dims: Dims, width: int, spectral: bool) -> None:
        super().__init__(NORM[dims](width), nn.ReLU(), conv(dims, width, width, 3, spectral))


class ResBlock(Layered):
    """Two of the above, added to what came in."""

    def __init__(self, dims: Dims, width: int, spectral: bool = False) -> None:
        super().__init__(NormActConv(dims, width, spectral), NormActConv(dims, width, spectral))

    def forward(self, x: Grid) -> Grid:
        """The sum."""
        return x + self.layers(x)


class DownBlock(Layered):
    """Convolution block, then half the height and width."""

    def __init__(self, dims: Dims, inputs: int, outputs: int) -> None:
        pool = nn.AvgPool2d(2) if dims == 2 else nn.AvgPool3d((1, 2, 2))
        super().__init__(ConvNormAct(dims, inputs, outputs), pool)


class UpBlock(Layered):
    """Twice the height and width by repetition, then a convolution block."""

    def __init__(self, dims: Dims, inputs: int, outputs: int, spectral: bool = False) -> None:
        repeat = nn.Upsample(scale_factor=2 if dims == 2 else (1, 2, 2))
        super().__init__(repeat, ConvNormAct(dims, inputs, outputs, spectral=spectral))


def halvings(dims: Dims, widths: tuple[int, ...]) -> nn.Sequential:
    """Down blocks from each width to the next."""
    return nn.Sequential(*(DownBlock(dims, a, b) for a, b in pairwise(widths)))


def doublings(dims: Dims, widths: tuple[int, ...], spectral: bool = False) -> nn.Sequential:
    """Up blocks from each width to the next."""
    return nn.Sequential(*(UpBlock(dims, a, b, spectral) for a, b in pairwise(widths)))
