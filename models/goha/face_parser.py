"""BiSeNet (Yu et al., 2018) on a ResNet-18: which of 19 parts of a face each pixel of a picture belongs to."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.resnet import basic_stage

CLASSES = 19
"""Of CelebAMask-HQ."""


class ConvBlock(nn.Module):
    """Convolution, batch norm and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        """The block's result."""
        return functional.relu(self.bn(self.conv(x)))


class ResNet18(nn.Module):
    """Features at three sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = basic_stage(2, 64, 64, 1)
        self.layer2 = basic_stage(2, 64, 128, 2)
        self.layer3 = basic_stage(2, 128, 256, 2)
        self.layer4 = basic_stage(2, 256, 512, 2)

    def forward(
        self, image: Float[Tensor, "b 3 h w"]
    ) -> tuple[Float[Tensor, "b 128 h/8 w/8"], Float[Tensor, "b 256 h/16 w/16"], Float[Tensor, "b 512 h/32 w/32"]]:
        """Features, finest first; height and width are multiples of 32."""
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(image))), 3, 2, 1)
        fine = self.layer2(self.layer1(x))
        middle = self.layer3(fine)
        return fine, middle, self.layer4(middle)


class AttentionRefinement(nn.Module):
    """A convolution whose channels are weighed by their means."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = ConvBlock(inputs, outputs)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(outputs)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        """The weighed features."""
        x = self.conv(x)
        return x * torch.sigmoid(self.bn_atten(self.conv_atten(mean_of(x))))


class ContextPath(nn.Module):
    """Features that know the whole picture."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = ResNet18()
        self.arm16 = AttentionRefinement(256, 128)
        self.arm32 = AttentionRefinement(512, 128)
        self.conv_head32 = ConvBlock(128, 128)
        self.conv_head16 = ConvBlock(128, 128)
        self.conv_avg = ConvBlock(512, 128, kernel=1)

    def forward(
        self, image: Float[Tensor, "b 3 h w"]
    ) -> tuple[Float[Tensor, "b 128 h/8 w/8"], Float[Tensor, "b 128 h/8 w/8"]]:
        """Features of the finest size, and what the coarser ones say there."""
        fine, middle, coarse = self.resnet(image)
        context = self.arm32(coarse) + self.conv_avg(mean_of(coarse))
        context = self.arm16(middle) + self.conv_head32(nearest_as(context, middle))
        return fine, self.conv_head16(nearest_as(context, fine))


class FeatureFusion(nn.Module):
    """Both brought together."""

    def __init__(self) -> None:
        super().__init__()
        self.convblk = ConvBlock(256, 256, kernel=1)
        self.conv1 = nn.Conv2d(256, 64, 1, bias=False)
        self.conv2 = nn.Conv2d(64, 256, 1, bias=False)

    def forward(
        self, fine: Float[Tensor, "b 128 h w"], context: Float[Tensor, "b 128 h w"]
    ) -> Float[Tensor, "b 256 h w"]:
        """Features."""
        x = self.convblk(torch.cat([fine, context], 1))
        return x * torch.sigmoid(self.conv2(functional.relu(self.conv1(mean_of(x))))) + x


class Output(nn.Module):
    """Features -> classes."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.conv = ConvBlock(inputs, hidden)
        self.conv_out = nn.Conv2d(hidden, CLASSES, 1, bias=False)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b 19 h w"]:
        """How much speaks for each class."""
        return self.conv_out(self.conv(x))


class FaceParser(nn.Module):
    """Picture -> parts of the face."""

    def __init__(self) -> None:
        super().__init__()
        self.cp = ContextPath()
        self.ffm = FeatureFusion()
        self.conv_out = Output(256, 256)
        # In the released weights; what the training held the coarser features against.
        self.conv_out16 = Output(128, 64)
        self.conv_out32 = Output(128, 64)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 19 h w"]:
        """How much speaks for each class at each pixel; `image` is normalised as ImageNet's are."""
        small = self.conv_out(self.ffm(*self.cp(image)))
        return functional.interpolate(small, image.shape[2:], mode="bilinear", align_corners=True)


def mean_of(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 1 1"]:
    """Mean over the picture."""
    return x.mean((2, 3), keepdim=True)


def nearest_as(x: Float[Tensor, "b c _ _"], like: Float[Tensor, "b _ h w"]) -> Float[Tensor, "b c h w"]:
    """Pixels repeated up to another map's size."""
    return functional.interpolate(x, like.shape[2:], mode="nearest")
