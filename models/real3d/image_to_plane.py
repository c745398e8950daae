"""Image to plane: the portrait's head as a tri-plane of its neutral, frontal self (paper section 3.1)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.real3d.resnet import LowResolutionEncoder
from models.real3d.sizes import RELEASED, Sizes
from models.segformer import Block, PatchEmbedding, to_image
from models.triplane import Planes


def double_size_to_corners(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 2*h 2*w"]:
    """Bilinear; the outermost pixels stay where they are (`models.convolution.double_size`: those between them do)."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


def as_planes(channels: Float[Tensor, "b 96 h w"]) -> Float[Tensor, "b 3 32 h w"]:
    """Tri-plane from the maps that networks predict: upside down all three, the third mirrored as well."""
    first, second, third = torch.unflatten(channels, 1, (3, 32)).unbind(1)
    return torch.stack([first.flip(-2), second.flip(-2), third.flip(-2, -1)], 1)


def with_coordinates(image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 5 h w"]:
    """The image, then each pixel's row and column as fractions of the size."""
    b, _, height, width = image.shape
    rows = torch.arange(height, dtype=image.dtype, device=image.device) / height
    columns = torch.arange(width, dtype=image.dtype, device=image.device) / width
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    return torch.cat([image, grid.expand(b, -1, -1, -1)], 1)


class HighResolutionEncoder(nn.Module):
    """Convolutions at half the image's size that keep detail."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        first, width = sizes.width(64), sizes.width(96)
        self.first = nn.Conv2d(5, first, 7, 2, 3)
        layers: list[nn.Module] = []
        for inputs in (first, width, width, width):
            layers += [conv3(inputs, width), nn.LeakyReLU(0.01)]
        self.conv_layers = nn.Sequential(*layers)
        self.final = conv3(width, width)

    def forward(self, image: Float[Tensor, "b 5 h w"]) -> Float[Tensor, "b o h/2 w/2"]:
        """Features."""
        return self.final(self.conv_layers(self.first(image)))


class LowResolutionTransformer(nn.Module):
    """Five transformer blocks on 32 x 32 tokens, and the way back up to 256 x 256."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        outer, inner, width = (sizes.width(n) for n in (128, 256, 1024))
        self.patch_embed = PatchEmbedding(inner, width, kernel=3, stride=2)
        for i in range(1, 6):
            self.add_module(f"block{i}", Block(width, heads=4, hidden=2 * width))
        self.conv_after_upsample1 = conv3(inner, outer)
        self.conv_after_upsample2 = conv3(outer, outer)
        self.final_conv = conv3(outer, sizes.width(96))

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o 4*h 4*w"]:
        """Features, four times as large."""
        tokens, grid = self.patch_embed(x)
        for i in range(1, 6):
            tokens = self.get_submodule(f"block{i}")(tokens, grid)
        x = functional.pixel_shuffle(to_image(tokens, grid), 2)
        x = functional.relu(self.conv_after_upsample1(double_size_to_corners(x)))
        x = functional.relu(self.conv_after_upsample2(double_size_to_corners(x)))
        return self.final_conv(x)


class PlanePredictor(nn.Module):
    """Both encoders' features together: convolutions around one transformer block on 128 x 128 tokens."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        given, outer, inner, width = (sizes.width(n) for n in (96, 128, 256, 1024))
        self.first_conv = conv3(2 * given, inner)
        self.second_conv = conv3(inner, outer)
        self.patch_embed = PatchEmbedding(outer, width, kernel=3, stride=2)
        self.block1 = Block(width, heads=4, hidden=2 * width, reduction=2)
        self.first_conv_after_cat = conv3(inner + given, inner)
        self.second_conv_after_cat = conv3(inner, outer)
        self.third_conv_after_cat = conv3(outer, outer)
        self.final_conv = conv3(outer, 96)

    def forward(self, low: Float[Tensor, "b i h w"], high: Float[Tensor, "b i h w"]) -> Float[Tensor, "b 96 h w"]:
        """The three planes, not yet turned."""
        x = functional.leaky_relu(self.first_conv(torch.cat([low, high], 1)))
        x = functional.leaky_relu(self.second_conv(x))
        tokens, grid = self.patch_embed(x)
        x = functional.pixel_shuffle(to_image(self.block1(tokens, grid), grid), 2)
        x = functional.leaky_relu(self.first_conv_after_cat(torch.cat([x, low], 1)))
        x = functional.leaky_relu(self.second_conv_after_cat(x))
        x = functional.leaky_relu(self.third_conv_after_cat(x))
        return self.final_conv(x)


class ImageToPlane(nn.Module):
    """Head image, black around the head -> canonical tri-plane."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        self.low_reso_encoder = LowResolutionEncoder(sizes)
        self.high_reso_encoder = HighResolutionEncoder(sizes)
        self.low_reso_vit = LowResolutionTransformer(sizes)
        self.triplane_predictor_vit = PlanePredictor(sizes)

    def forward(self, head: Float[Tensor, "b 3 side side"]) -> Planes:
        """[b, 3, 32, 256, 256] from an image in -1..1; 512 pixels wide as the released weights take it."""
        image = with_coordinates(head)
        low = self.low_reso_vit(self.low_reso_encoder(image))
        return as_planes(self.triplane_predictor_vit(low, self.high_reso_encoder(image)))
