"""Features become tri-planes: of one picture, or of three maps that lie on the planes already."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.convolution import conv3, double_size

CHANNELS = 32
"""Of each plane."""
PLANES = 3


def double_conv(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Transposed convolution that doubles the size."""
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)


class PlaneHead(nn.Module):
    """A picture's features as all three planes."""

    def __init__(self) -> None:
        super().__init__()
        self.up_layers = nn.Sequential(
            conv3(256, 256), nn.LeakyReLU(0.2),
            conv3(256, 128), nn.LeakyReLU(0.2),
            double_conv(128, 128), nn.LeakyReLU(0.2),
            conv3(128, 128), nn.LeakyReLU(0.2),
            conv3(128, PLANES * CHANNELS),
        )  # fmt: skip

    def forward(self, features: Float[Tensor, "b 256 h w"]) -> Float[Tensor, "b 3 32 2*h 2*w"]:
        """The tri-plane."""
        return torch.unflatten(self.up_layers(features), 1, (PLANES, CHANNELS))


class PlaneUpsampler(nn.Module):
    """Three maps made twice as large."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.up_xy, self.up_xz, self.up_zy = (
            nn.Sequential(double_conv(inputs, 128), nn.LeakyReLU(0.2), conv3(128, CHANNELS)) for _ in range(PLANES)
        )
        self.skip_xy, self.skip_xz, self.skip_zy = (nn.Conv2d(inputs, CHANNELS, 1) for _ in range(PLANES))

    def forward(self, maps: Float[Tensor, "b 3 c h w"]) -> Float[Tensor, "b 3 32 2*h 2*w"]:
        """The tri-plane. All planes take the layers of the first: `up_xz` and `up_zy` were never trained."""
        skips = (self.skip_xy, self.skip_xz, self.skip_zy)
        return torch.stack(
            [double_size(skip(x)) + self.up_xy(x) for skip, x in zip(skips, maps.unbind(1), strict=True)], 1
        )
