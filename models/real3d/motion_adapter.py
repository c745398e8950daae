"""Motion adapter: what an expression changes on the canonical tri-plane (paper section 3.2).

It sees the face as PNCC images: each pixel says which point of the mean face is there.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.real3d.image_to_plane import as_planes
from models.real3d.sizes import RELEASED, Sizes
from models.segformer import MIT_B0, MixTransformer, to_image, to_tokens
from models.stylegan import smoothing_kernel
from models.triplane import Planes


class Prenet(nn.Module):
    """1x1 convolution with an equalised weight: 9 channels of three PNCC images -> 3."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3, 9, 1, 1))
        self.bias = nn.Parameter(torch.empty(3))
        self.register_buffer("resample_filter", smoothing_kernel())  # in the released weights; nothing is resampled

    def scaled_weight(self) -> Float[Tensor, "3 9 1 1"]:
        """The weight as it is applied."""
        return self.weight / self.weight.shape[1] ** 0.5

    def forward(self, x: Float[Tensor, "b 9 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The mixed channels."""
        return functional.conv2d(x, self.scaled_weight(), self.bias)


class Projection(nn.Module):
    """Linear map of each pixel to 256 channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.proj = nn.Linear(inputs, outputs)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        """The mapped pixels."""
        return to_image(self.proj(to_tokens(x)), (x.shape[2], x.shape[3]))


class FuseConv(nn.Module):
    """1x1 convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        """The fused map."""
        return functional.relu(self.bn(self.conv(x)))


class FuseHead(nn.Module):
    """SegFormer's head: the maps of all stages, projected, brought to the finest one's size and fused."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        first, second, third, fourth = (sizes.width(stage.width) for stage in MIT_B0)
        width = sizes.width(256)
        self.linear_c4 = Projection(fourth, width)
        self.linear_c3 = Projection(third, width)
        self.linear_c2 = Projection(second, width)
        self.linear_c1 = Projection(first, width)
        self.linear_fuse = FuseConv(4 * width, width)

    def forward(self, maps: list[Float[Tensor, "b _ _ _"]]) -> Float[Tensor, "b o _ _"]:
        """The fused map, as large as the first of `maps`."""
        size = maps[0].shape[2:]
        projections = (self.linear_c4, self.linear_c3, self.linear_c2, self.linear_c1)
        projected = [projection(x) for projection, x in zip(projections, reversed(maps), strict=True)]
        resized = [functional.interpolate(x, size, mode="bilinear", align_corners=False) for x in projected[:-1]]
        return self.linear_fuse(torch.cat([*resized, projected[-1]], 1))


class MotionAdapter(nn.Module):
    """PNCC images of the neutral face, of the start of the drive and of now -> what to add to the canonical planes."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        width = sizes.width(256)
        self.prenet = Prenet()
        self.mix_vit = MixTransformer([stage._replace(width=sizes.width(stage.width)) for stage in MIT_B0])
        self.fuse_head = FuseHead(sizes)
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [conv3(width, width), nn.LeakyReLU(0.01)]
        self.to_plane_cnn = nn.Sequential(
            *layers, nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), conv3(width, 96)
        )

    def forward(self, pncc: Float[Tensor, "b 9 side side"]) -> Planes:
        """[b, 3, 32, 256, 256]; `pncc` in -1..1, canonical, source and target one after the other, 512 pixels wide."""
        return as_planes(self.to_plane_cnn(self.fuse_head(self.mix_vit(self.prenet(pncc)))))
