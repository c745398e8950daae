"""From a lifted portrait to its planes."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.segformer import Attention, DepthwiseConv, to_image, to_tokens
from models.small.activation import activate
from models.small.settings import CONDITION, FEATURES, SIDE_FEATURES

WIDTH = 128
"""Channels of the transformer; those of weights are told by `width_of`."""


class Encoder(nn.Module):
    """Transformer block: each place looks at all others."""

    def __init__(self, width: int, heads: int, reduction: int = 1) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, reduction)
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.filter = DepthwiseConv(2 * width)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The map after one round."""
        grid = (int(x.shape[2]), int(x.shape[3]))
        tokens = to_tokens(x)
        tokens = tokens + self.attention(self.before(tokens), grid)
        hidden = functional.gelu(self.filter(self.widen(self.between(tokens)), grid))
        return to_image(tokens + self.narrow(hidden), grid)


class ImageToPlane(nn.Module):
    """A picture of 128 pixels and its geometry -> three planes of 64 cells, and what the motion adapter is told."""

    def __init__(self, width: int = WIDTH) -> None:
        """`width`: a multiple of 4: it has four heads."""
        super().__init__()
        self.first, self.second = nn.Conv2d(8, 32, 5, 2, 2), conv3(32, 32)
        self.down, self.deeper = nn.Conv2d(32, 48, 3, 2, 1), nn.Conv2d(48, width, 3, 2, 1)
        self.encoders = nn.Sequential(*(Encoder(width, 4) for _ in range(3)))
        self.up, self.skip = conv3(width // 4, 48), nn.Conv2d(48, 48, 1)
        self.wide, self.merge = conv3(48 + 32, 64), conv3(64, 48)
        self.front = conv3(48, FEATURES)
        self.across = conv3(48, 2 * SIDE_FEATURES)
        self.condition = nn.Conv2d(48, CONDITION, 1)

    def forward(
        self, texture: Float[Tensor, "b 4 256 256"], geometry: Float[Tensor, "b 2 64 64"]
    ) -> tuple[Float[Tensor, "b 16 64 64"], Float[Tensor, "b 16 64 64"], Float[Tensor, "b 32 64 64"]]:
        """Plane to the camera, the two across it, and the adapter's map. `texture`: 0..1, multiplied by alpha."""
        small = functional.avg_pool2d(texture, 2)
        shape = functional.interpolate(geometry, scale_factor=2.0, mode="bilinear", align_corners=False)
        place = torch.linspace(-1, 1, 128, device=texture.device)
        place = torch.stack(torch.meshgrid(place, place, indexing="ij")).expand(len(texture), -1, -1, -1)
        full = activate(self.first(torch.cat([2 * small - 1, shape, place], 1)))
        full = activate(self.second(full))
        half = activate(self.down(full))
        deep = self.encoders(activate(self.deeper(half)))
        half = activate(self.up(functional.pixel_shuffle(deep, 2)) + self.skip(half))
        wide = functional.interpolate(half, scale_factor=2.0, mode="bilinear", align_corners=False)
        out = activate(self.merge(activate(self.wide(torch.cat([wide, full], 1)))))
        return self.front(out), self.across(out), self.condition(out)


def width_of(weights: Mapping[str, Tensor]) -> int:
    """Of the small model's; the shipped one's if they are not such weights."""
    bias = weights.get("image_to_plane.deeper.bias")
    return WIDTH if bias is None or bias.ndim != 1 else len(bias)
