"""Deep3DFaceRecon (Deng et al., 2019): the face model's coefficients, light and pose of the face in a picture."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

SIDE = 224
"""Of its pictures, in pixels."""
SIZES = (80, 64, 80, 3, 27, 2, 1)
"""Of what the network's last layers give: identity, expression, texture, angles, light, translation in the picture,
and towards the camera."""


class FaceCoefficients(NamedTuple):
    """One face per picture."""

    identity: Float[Tensor, "b 80"]
    expression: Float[Tensor, "b 64"]
    texture: Float[Tensor, "b 80"]
    angle: Float[Tensor, "b 3"]
    """About x, y and z, radians."""
    light: Float[Tensor, "b 27"]
    """Nine spherical harmonics of red, then of green and blue."""
    translation: Float[Tensor, "b 3"]
    """Decimetres; x right in the picture, y up, z towards the camera."""


class Bottleneck(nn.Module):
    """Convolutions of 1x1, 3x3 and 1x1 pixels and a short cut."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        if inputs != outputs:
            short = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(short, nn.BatchNorm2d(outputs))

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o _ _"]:
        """The block's result."""
        new = functional.relu(self.bn1(self.conv1(x)))
        new = self.bn3(self.conv3(functional.relu(self.bn2(self.conv2(new)))))
        return functional.relu(new + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet50(nn.Module):
    """Picture -> 2048 features at a thirty-second of its size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(3, 64, 64, 1)
        self.layer2 = _stage(4, 256, 128, 2)
        self.layer3 = _stage(6, 512, 256, 2)
        self.layer4 = _stage(3, 1024, 512, 2)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 2048 h/32 w/32"]:
        """Features."""
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(image))), 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class CoefficientNetwork(nn.Module):
    """Picture -> coefficients."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = ResNet50()
        self.final_layers = nn.ModuleList(nn.Conv2d(2048, size, 1) for size in SIZES)

    def forward(self, image: Float[Tensor, "b 3 224 224"]) -> Float[Tensor, "b 257"]:
        """All coefficients in a row; `image` in 0..1."""
        features = self.backbone(image).mean((2, 3), keepdim=True)
        return torch.cat([layer(features) for layer in self.final_layers], 1).flatten(1)


def load_coefficients(weights: Mapping[str, Tensor]) -> CoefficientNetwork:
    """The network with the released weights, ready for inference; it shares their memory.

    Raises RuntimeError if names or shapes are not exactly those of the network.
    """
    with torch.device("meta"):
        network = CoefficientNetwork()
    network.load_state_dict(weights, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def read(row: Float[Tensor, "b 257"]) -> FaceCoefficients:
    """The network's numbers by their meaning."""
    identity, expression, texture, angle, light, across, near = torch.split(row, list(SIZES), 1)
    return FaceCoefficients(identity, expression, texture, angle, light, torch.cat([across, near], 1))


def to_network(image: Float[Tensor, "b 3 512 512"]) -> Float[Tensor, "b 3 224 224"]:
    """A portrait's picture (-1..1) as the network wants it: the whole of it, not aligned once more."""
    return functional.interpolate((image + 1) / 2, (SIDE, SIDE), mode="bilinear", align_corners=False)


def _stage(blocks: int, inputs: int, width: int, stride: int) -> nn.Sequential:
    first = Bottleneck(inputs, width, stride)
    return nn.Sequential(first, *(Bottleneck(4 * width, width, 1) for _ in range(blocks - 1)))
