"""Super-resolution by GFPGAN (Wang et al., 2021), in its "clean" form."""

from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.gfpgan.style_decoder import STYLE, STYLES, Noise, Steering, StyleDecoder, Styles, ToRgb

SIDE = 512
"""Of the pictures, in pixels."""
WIDTHS = (32, 64, 128, 256, 256, 256, 256, 256)
"""Channels at 512, 256, ... 4 pixels."""
NARROW = ("stylegan_decoder", "condition_scale", "condition_shift")
"""Parts whose features may have 16 bits; the U-Net, which all of the picture depends on, stays in float32."""
WIDE = (nn.Linear, ToRgb)
"""What keeps weights of float32 in them: what makes styles, and what adds to the colours."""

Picture = Float[Tensor, "b 3 512 512"]


class ResizingBlock(nn.Module):
    """Two 3x3 convolutions, the size changed between them, and a short cut."""

    def __init__(self, inputs: int, outputs: int, factor: Literal["half", "double"]) -> None:
        super().__init__()
        self.factor = 2.0 if factor == "double" else 0.5
        self.conv1 = conv3(inputs, inputs)
        self.conv2 = conv3(inputs, outputs)
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o _ _"]:
        """The block's result."""
        new = self._resized(functional.leaky_relu(self.conv1(x), 0.2))
        return functional.leaky_relu(self.conv2(new), 0.2) + self.skip(self._resized(x))

    def _resized(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b i _ _"]:
        return functional.interpolate(x, scale_factor=self.factor, mode="bilinear", align_corners=False)


class Restoration(nn.Module):
    """A U-Net reads styles and steering off a picture; the decoder draws it anew."""

    def __init__(self) -> None:
        super().__init__()
        narrower = list(pairwise(WIDTHS))
        wider = [(after, before) for before, after in reversed(narrower)]
        self.conv_body_first = nn.Conv2d(3, WIDTHS[0], 1)
        self.conv_body_down = nn.ModuleList(ResizingBlock(*sizes, "half") for sizes in narrower)
        self.final_conv = conv3(WIDTHS[-1], WIDTHS[-1])
        self.conv_body_up = nn.ModuleList(ResizingBlock(*sizes, "double") for sizes in wider)
        # In the released weights; small pictures that the training looked at.
        self.toRGB = nn.ModuleList(nn.Conv2d(width, 3, 1) for _, width in wider)
        self.final_linear = nn.Linear(WIDTHS[-1] * 4 * 4, STYLES * STYLE)
        self.stylegan_decoder = StyleDecoder()
        self.condition_scale, self.condition_shift = (
            nn.ModuleList(nn.Sequential(conv3(n, n), nn.LeakyReLU(0.2), conv3(n, n)) for _, n in wider)
            for _ in range(2)
        )

    def forward(self, rough: Picture, noise: Noise | None = None) -> Picture:
        """The picture, about -1..1; `rough`: the same, enlarged from a smaller one; `noise`: see `StyleDecoder`."""
        return self.stylegan_decoder(*self.read(rough), noise)

    def read(self, rough: Picture) -> tuple[Styles, list[Steering]]:
        """What the decoder is told."""
        x = functional.leaky_relu(self.conv_body_first(rough), 0.2)
        seen = []
        for down in self.conv_body_down:
            x = down(x)
            seen.append(x)
        x = functional.leaky_relu(self.final_conv(x), 0.2)
        styles = torch.unflatten(self.final_linear(x.flatten(1)), 1, (STYLES, STYLE))
        steering = []
        for up, before, scale, shift in zip(
            self.conv_body_up, reversed(seen), self.condition_scale, self.condition_shift, strict=True
        ):
            x = up(x + before)
            told = x.to(self.stylegan_decoder.constant_input["weight"].dtype)
            steering.append((scale(told), shift(told)))
        return styles, steering
