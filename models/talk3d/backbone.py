"""The generator's backbone: a person's latent vector becomes the tri-plane of their neutral self."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.stylegan import NoisyLayer, Style, SynthesisBlock, ToRgb, smoothing_kernel
from models.talk3d.size import FIRST_SIDE, LATENT, GeneratorSize
from models.triplane import EqualisedLinear, Planes

CAMERA = 25
"""Numbers of a camera, see `models.volume.camera_rays`."""
PLANES, CHANNELS = 3, 32


class FirstBlock(nn.Module):
    """A constant, and one layer on it."""

    resample_filter: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.const = nn.Parameter(torch.empty(width, FIRST_SIDE, FIRST_SIDE))
        self.conv1 = NoisyLayer(width, width, LATENT, FIRST_SIDE)
        self.torgb = ToRgb(width, LATENT, PLANES * CHANNELS)
        self.register_buffer("resample_filter", smoothing_kernel())  # in the released weights; nothing is doubled here

    def forward(self, style: Style) -> tuple[Float[Tensor, "1 c 4 4"], Float[Tensor, "1 96 4 4"]]:
        """Features and planes."""
        x = self.conv1(self.const[None], style)
        return x, self.torgb(x, style)


class PlaneBlock(SynthesisBlock):
    """A doubling block with noise, whose colours are the channels of all planes."""

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__(inputs, outputs, LATENT, side, up=True)
        self.conv0 = NoisyLayer(inputs, outputs, LATENT, side, up=True)
        self.conv1 = NoisyLayer(outputs, outputs, LATENT, side)
        self.torgb = ToRgb(outputs, LATENT, PLANES * CHANNELS)


class PlaneSynthesis(nn.Module):
    """StyleGAN2 with one style for all of its layers."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.b4 = FirstBlock(widths[0])
        for number, (inputs, outputs) in enumerate(pairwise(widths), 1):
            side = FIRST_SIDE << number
            self.add_module(f"b{side}", PlaneBlock(inputs, outputs, side))

    def forward(self, style: Style) -> Planes:
        """[1, 3, 32, side, side]."""
        first, *others = self.children()
        x, planes = first(style)
        for block in others:
            x, planes = block(x, planes, style)
        return torch.unflatten(planes, 1, (PLANES, CHANNELS))


class SlowLinear(EqualisedLinear):
    """A layer that learnt at a hundredth of the others' rate: its stored values are so much larger."""

    RATE = 0.01

    def forward(self, x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        """The mapped vectors, after the activation."""
        x = functional.linear(x, self.scaled_weight() * self.RATE, self.bias * self.RATE)
        return 2**0.5 * functional.leaky_relu(x, 0.2)


class Mapping(nn.Module):
    """Random numbers and a camera -> latent vector. Only who personalises a generator asks for one."""

    w_avg: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("w_avg", torch.empty(LATENT))  # mean latent vector; Talk3D's own pictures do without
        self.embed = EqualisedLinear(CAMERA, LATENT)
        self.fc0 = SlowLinear(2 * LATENT, LATENT)
        self.fc1 = SlowLinear(LATENT, LATENT)

    def forward(self, z: Float[Tensor, "b 512"], camera: Float[Tensor, "b 25"]) -> Float[Tensor, "b 512"]:
        """The latent vectors."""
        return self.fc1(self.fc0(torch.cat([_normalised(z), _normalised(self.embed(camera))], 1)))


def _normalised(x: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class Backbone(nn.Module):
    """Both."""

    def __init__(self, size: GeneratorSize) -> None:
        super().__init__()
        self.synthesis = PlaneSynthesis(size.backbone)
        self.mapping = Mapping()
