"""The decoder of GFPGAN (Wang et al., 2021): StyleGAN2 with a style per layer, steered pixel by pixel.

`models.stylegan` scales a layer's weights, for one style; here styles come from the picture, so inputs and results are
scaled instead: the same product, whatever the batch, with weights that never change.

Features may have 16 bits; styles, and the colours that all layers add to, are float32.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import double_size
from models.stylegan import GAIN, activated

STYLE = 512
"""Length of a style vector."""
WIDTHS = (512, 512, 512, 512, 512, 256, 128, 64)
"""Channels at 4, 8, ... 512 pixels."""
STYLES = 2 * len(WIDTHS)
_GREATEST = 4096.0
"""Of 16-bit features: what a layer of the released size makes of them fits, too. The released code cuts none off."""

Styles = Float[Tensor, "b 16 512"]
"""One per layer; a layer's colours share the next layer's."""
Noise = Sequence[Float[Tensor, "1 1 _ _"]]
"""A map for each layer."""
Steering = tuple[Float[Tensor, "b _ _ _"], Float[Tensor, "b _ _ _"]]
"""By how much half of a layer's channels are scaled, then shifted."""


class ModulatedConvolution(nn.Module):
    """Convolution whose input channels a style scales; with `unit`, its results are then brought to unit variance."""

    def __init__(self, inputs: int, outputs: int, kernel: int, unit: bool) -> None:
        super().__init__()
        self.unit = unit
        self.weight = nn.Parameter(torch.empty(1, outputs, inputs, kernel, kernel))
        self.modulation = nn.Linear(STYLE, inputs)

    def forward(self, x: Float[Tensor, "b i h w"], style: Float[Tensor, "b 512"]) -> Float[Tensor, "b o h w"]:
        """The layer's result; without `unit` it is float32.

        What it is convolved from is no greater than `x`, since 16 bits could not hold more: the greatest of the scales
        counts afterwards.
        """
        weight, scales = self.weight[0], self.modulation(style)
        greatest = scales.abs().amax(1, keepdim=True).clamp(min=1e-8)
        shares = scales / greatest
        x = functional.conv2d(x * shares.to(x.dtype)[..., None, None], weight, padding=weight.shape[-1] // 2)
        if not self.unit:
            return x.float() * greatest[..., None, None]
        power = shares.square() @ weight.float().square().sum((2, 3)).T
        return x * (power + 1e-8 / greatest.square()).rsqrt().to(x.dtype)[..., None, None]


class StyledLayer(nn.Module):
    """Modulated 3x3 convolution, noise, leaky ReLU; with `up`, the picture doubles in size first."""

    def __init__(self, inputs: int, outputs: int, up: bool) -> None:
        super().__init__()
        self.up = up
        self.modulated_conv = ModulatedConvolution(inputs, outputs, 3, unit=True)
        self.weight = nn.Parameter(torch.empty(1))
        """Strength of the noise."""
        self.bias = nn.Parameter(torch.empty(1, outputs, 1, 1))

    def forward(
        self, x: Float[Tensor, "b i _ _"], style: Float[Tensor, "b 512"], noise: Float[Tensor, "1 1 h w"] | None
    ) -> Float[Tensor, "b o h w"]:
        """The layer's result."""
        x = GAIN * self.modulated_conv(double_size(x) if self.up else x, style)
        if noise is not None:
            x = x + self.weight * noise
        return activated(x + self.bias, _GREATEST)


class ToRgb(nn.Module):
    """Features -> colours."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.modulated_conv = ModulatedConvolution(inputs, 3, 1, unit=False)
        self.bias = nn.Parameter(torch.empty(1, 3, 1, 1))

    def forward(self, x: Float[Tensor, "b c h w"], style: Float[Tensor, "b 512"]) -> Float[Tensor, "b 3 h w"]:
        """The colours."""
        return self.modulated_conv(x, style) + self.bias


class StyleDecoder(nn.Module):
    """Styles and steering -> picture of 512 pixels."""

    def __init__(self) -> None:
        super().__init__()
        # In the released weights; the styles come from the picture itself.
        self.style_mlp = nn.ModuleDict({str(k): nn.Linear(STYLE, STYLE) for k in range(1, 17, 2)})
        self.constant_input = nn.ParameterDict({"weight": torch.empty(1, WIDTHS[0], 4, 4)})
        self.style_conv1 = StyledLayer(WIDTHS[0], WIDTHS[0], up=False)
        self.to_rgb1 = ToRgb(WIDTHS[0])
        self.style_convs = nn.ModuleList(
            StyledLayer(*sizes)
            for before, width in pairwise(WIDTHS)
            for sizes in ((before, width, True), (width, width, False))
        )
        self.to_rgbs = nn.ModuleList(ToRgb(width) for width in WIDTHS[1:])
        self.noises = nn.Module()
        for k, side in enumerate((4, *(2**power for power in range(3, 10) for _ in range(2)))):
            self.noises.register_buffer(f"noise{k}", torch.empty(1, 1, side, side))

    def stored_noise(self) -> Noise:
        """Drawings that came with the weights."""
        return list(self.noises.buffers())

    def forward(
        self, styles: Styles, steering: Sequence[Steering], noise: Noise | None = None
    ) -> Float[Tensor, "b 3 512 512"]:
        """The picture.

        Args:
            styles: of all layers.
            steering: for 8, 16, ... 512 pixels.
            noise: for each layer what is added to it; none by default. The released code draws it anew for every
                picture, so that they flicker.
        """
        each = [None] * (1 + len(self.style_convs)) if noise is None else noise
        x = self.constant_input["weight"].expand(len(styles), -1, -1, -1)
        x = self.style_conv1(x, styles[:, 0], each[0])
        rgb = self.to_rgb1(x, styles[:, 1])
        for k, (to_rgb, (scale, shift)) in enumerate(zip(self.to_rgbs, steering, strict=True)):
            at = 2 * k + 1
            still, steered = self.style_convs[2 * k](x, styles[:, at], each[at]).chunk(2, 1)
            x = torch.cat([still, steered * scale + shift], 1)
            x = self.style_convs[2 * k + 1](x, styles[:, at + 1], each[at + 1])
            rgb = double_size(rgb) + to_rgb(x, styles[:, at + 2])
        return rgb
