"""The two halves of the U-Net over planes: down to an eighth of their size, and up again."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.stylegan import double, doubling_kernels, smoothing_kernel
from models.talk3d.backbone import CHANNELS
from models.talk3d.size import StageWidths
from models.talk3d.split import NAMES, Maps, each, roll_out

Planes32 = Float[Tensor, "b 3 32 p0 p0"]
First = Float[Tensor, "b 3 c1 p1 p1"]
"""Half as large as planes, and so on."""
Second = Float[Tensor, "b 3 c2 p2 p2"]
Deepest = Float[Tensor, "b 3 c3 p3 p3"]
Resample = Literal["half", "double"]


class Stage(nn.Module):
    """Two convolutions, then another size."""

    resample_filter: Tensor

    def __init__(self, inputs: int, outputs: int, resample: Resample) -> None:
        super().__init__()
        self.resample = resample
        self.conv0, self.bn0 = conv3(inputs, outputs), nn.BatchNorm2d(outputs)
        self.conv1, self.bn1 = conv3(outputs, outputs), nn.BatchNorm2d(outputs)
        self.register_buffer("resample_filter", smoothing_kernel())

    def forward(self, x: Float[Tensor, "b i h h"]) -> Float[Tensor, "b o _ _"]:
        """The stage's result."""
        x = functional.leaky_relu(self.bn0(self.conv0(x)), 0.01)
        x = functional.leaky_relu(self.bn1(self.conv1(x)), 0.01)
        channels = self.conv1.out_channels
        if self.resample == "double":
            return double(x, doubling_kernels(self.resample_filter, channels))
        kernels = self.resample_filter.expand(channels, 1, -1, -1)
        return functional.conv2d(x, kernels, stride=2, padding=1, groups=channels)


class Stages(nn.Module):
    """Three stages, one after the other; each plane has its own."""

    def __init__(self, name: str, widths: Sequence[int], resample: Resample) -> None:
        """`name`: of the weights, before the stage's number and the plane; `widths`: of each plane, from the first."""
        super().__init__()
        for number, (inputs, outputs) in enumerate(pairwise(widths), 1):
            for plane in NAMES:
                self.add_module(f"{name}{number}_{plane}", Stage(3 * inputs, outputs, resample))

    def stage(self, number: int, maps: Maps) -> Float[Tensor, "b 3 o _ _"]:
        """One of them, which sees all planes; the first is 0."""
        return each(list(self.children())[3 * number : 3 * number + 3], roll_out(maps))


class DownStages(Stages):
    """To an eighth of the size."""

    def __init__(self, widths: StageWidths) -> None:
        super().__init__("Downnet", (CHANNELS, *widths), "half")

    def forward(self, planes: Planes32) -> tuple[First, Second, Deepest]:
        """What all three give."""
        first = self.stage(0, planes)
        second = self.stage(1, first)
        return first, second, self.stage(2, second)


class UpStages(Stages):
    """Back to the size of planes."""

    def __init__(self, widths: StageWidths) -> None:
        super().__init__("Upnet", (*reversed(widths), CHANNELS), "double")

    def forward(self, deepest: Deepest, second: Second, first: First) -> Planes32:
        """Planes; `second` and `first` come from the way down."""
        return self.stage(2, self.stage(1, self.stage(0, deepest) + second) + first)
