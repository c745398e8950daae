"""ResNet-34 at an eighth of the image's size, and the pyramid of dilated convolutions on top (DeepLab v3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.real3d.sizes import RELEASED, Sizes
from models.resnet import basic_stage


class ResNet34(nn.Module):
    """ResNet-34 whose last two stages keep their input's size and are dilated instead."""

    def __init__(self, inputs: int, sizes: Sizes) -> None:
        super().__init__()
        first, second, third, fourth = (sizes.width(n) for n in (64, 128, 256, 512))
        self.conv1 = nn.Conv2d(inputs, first, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.layer1 = basic_stage(3, first, first, 1, 1)
        self.layer2 = basic_stage(4, first, second, 2, 1)
        self.layer3 = basic_stage(6, second, third, 1, 2)
        self.layer4 = basic_stage(3, third, fourth, 1, 4)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h/8 w/8"]:
        """Features of the image; height and width are multiples of 8."""
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class DilatedPyramid(nn.Module):
    """What lies at the point, 12, 24 and 36 pixels around it, and the mean of the image, brought together."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        near = nn.Sequential(nn.Conv2d(inputs, width, 1, bias=False), nn.ReLU())
        around = (
            nn.Sequential(nn.Conv2d(inputs, width, 3, 1, reach, reach, bias=False), nn.ReLU()) for reach in (12, 24, 36)
        )
        mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(inputs, width, 1, bias=False), nn.ReLU())
        self.convs = nn.ModuleList([near, *around, mean])
        self.project = nn.Sequential(nn.Conv2d(5 * width, width, 1, bias=False), nn.ReLU())

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        """Features of the same size."""
        size = x.shape[2:]
        return self.project(torch.cat([conv(x).expand(-1, -1, *size) for conv in self.convs], 1))


class LowResolutionEncoder(nn.Module):
    """5-channel image -> 256 channels at an eighth of its size."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        width = sizes.width(256)
        self.encoder = ResNet34(5, sizes)
        self.decoder = nn.Sequential(
            DilatedPyramid(sizes.width(512), width), nn.Conv2d(width, width, 3, padding=1, bias=False)
        )

    def forward(self, image: Float[Tensor, "b 5 h w"]) -> Float[Tensor, "b o h/8 w/8"]:
        """Features."""
        return self.decoder(self.encoder(image))
