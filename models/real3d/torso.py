"""Torso model: the portrait's torso, moved under the driven head (paper section 3.4)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.real3d.segmentation import BODY_SKIN, CLOTHES
from models.real3d.sizes import DEPTH, RELEASED, Sizes
from models.real3d.torso_layers import ConvNormAct, ResBlock, doublings, halvings
from models.real3d.torso_motion import Appearance, KeyPoints, MotionFieldEstimator, Regions
from models.voxels import look_into

SegmentMap = Float[Tensor, "b 6 side side"]
"""One plane per class, 0 or 1: background, hair, body skin, face skin, clothes, others; as large as the pictures."""


class Torso(NamedTuple):
    """The moved torso, half as large as the pictures."""

    rgb: Float[Tensor, "b 3 half half"]
    hidden: Float[Tensor, "b c half half"]
    """Features that `rgb` was made from."""
    occlusion: Float[Tensor, "b 1 half half"]
    """Where it lies before the background, 0..1."""


def torso_regions(segments: SegmentMap, smaller: int) -> Float[Tensor, "b 2 {smaller} {smaller}"]:
    """Body skin and clothes, made smaller."""
    return functional.interpolate(
        segments[:, (BODY_SKIN, CLOTHES)], (smaller, smaller), mode="bilinear", align_corners=False
    )


class AppearanceExtractor(nn.Module):
    """Torso image -> features with depth."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        self._width = sizes.width(32)
        widths = [sizes.width(n) for n in (64, 128, 256)]
        self.in_conv = ConvNormAct(2, 5, widths[0], kernel=7)
        self.down = halvings(2, tuple(widths))
        self.mid_conv = nn.Conv2d(widths[-1], DEPTH * self._width, 1)
        self.res = nn.Sequential(*(ResBlock(3, self._width) for _ in range(6)))

    def forward(self, torso: Float[Tensor, "b 5 half half"]) -> Appearance:
        """Features of colours and regions."""
        return self.res(self.mid_conv(self.down(self.in_conv(torso))).unflatten(1, (self._width, DEPTH)))


class DeformBasedGenerator(nn.Module):
    """Deformed features, drawn."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        width, middle, last = (sizes.width(n) for n in (256, 128, 64))
        self.in_conv = ConvNormAct(2, DEPTH * sizes.width(32), width, spectral=True, slope=0.2)
        self.mid_conv = nn.Conv2d(width, width, 1)
        self.res = nn.Sequential(*(ResBlock(2, width, spectral=True) for _ in range(6)))
        self.up = doublings(2, (width, middle, last), spectral=True)
        self.out_conv = nn.Conv2d(last, 3, 7, padding=3)

    def forward(self, seen: Appearance) -> tuple[Float[Tensor, "b 3 half half"], Float[Tensor, "b o half half"]]:
        """Colours, and the features that they were made from."""
        hidden = self.up(self.res(self.mid_conv(self.in_conv(seen.flatten(1, 2)))))
        return self.out_conv(hidden), hidden


class TorsoModel(nn.Module):
    """Appearance, motion, drawing."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        self.appearance_extractor = AppearanceExtractor(sizes)
        self.motion_field_estimator = MotionFieldEstimator(sizes)
        self.deform_based_generator = DeformBasedGenerator(sizes)
        hidden, width = sizes.width(64), sizes.width(32)
        self.occlusion_2_predictor = nn.Sequential(
            conv3(hidden + 1, width), nn.ReLU(), conv3(width, width), nn.ReLU(), conv3(width, 1), nn.Sigmoid()
        )

    def appearance(self, torso: Float[Tensor, "b 3 half half"], segments: SegmentMap) -> tuple[Appearance, Regions]:
        """What depends on the portrait alone: features, black around the torso, and where it is."""
        side = int(torso.shape[-1])
        features = self.appearance_extractor(torch.cat([torso, torso_regions(segments, side)], 1))
        regions = torso_regions(segments, side // 4)
        around = functional.pad(regions.sum(1, keepdim=True), (3, 3, 3, 3), mode="reflect")
        mask = functional.max_pool2d(around, 7, 1)
        return features * mask[:, :, None], regions

    def forward(
        self,
        appearance: Appearance,
        regions: Regions,
        kp_source: KeyPoints,
        kp_driving: KeyPoints,
        head: Float[Tensor, "b 4 half half"],
    ) -> Torso:
        """The torso under a head whose rendered colours and opacity are `head`."""
        field = self.motion_field_estimator(appearance, regions, kp_source, kp_driving, head)
        rgb, hidden = self.deform_based_generator(look_into(appearance, field.deformation, beyond="border"))
        return Torso(rgb, hidden, torso_occlusion(self.occlusion_2_predictor, hidden, field.torso_occlusion))


def torso_occlusion(
    predictor: nn.Module, hidden: Float[Tensor, "b c half half"], coarse: Float[Tensor, "b 1 h w"]
) -> Float[Tensor, "b 1 half half"]:
    """Where the torso lies before the background, in detail."""
    side = int(hidden.shape[-1])  # a number while a network is traced, too
    wide = functional.interpolate(coarse, (side, side), mode="bilinear", align_corners=False)
    return predictor(torch.cat([hidden, wide], 1))
