"""Torso model: the portrait's torso, moved under the driven head (paper section 3.4)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.real3d.segmentation import BODY_SKIN, CLOTHES
from models.real3d.torso_layers import ConvNormAct, ResBlock, doublings, halvings
from models.real3d.torso_motion import Appearance, KeyPoints, MotionFieldEstimator, Regions
from models.voxels import look_into

SegmentMap = Float[Tensor, "b 6 512 512"]
"""One plane per class, 0 or 1: background, hair, body skin, face skin, clothes, others."""


class Torso(NamedTuple):
    """The moved torso."""

    rgb: Float[Tensor, "b 3 256 256"]
    hidden: Float[Tensor, "b 64 256 256"]
    """Features that `rgb` was made from."""
    occlusion: Float[Tensor, "b 1 256 256"]
    """Where it lies before the background, 0..1."""


def torso_regions(segments: SegmentMap, side: int) -> Float[Tensor, "b 2 side side"]:
    """Body skin and clothes, made smaller."""
    return functional.interpolate(segments[:, (BODY_SKIN, CLOTHES)], (side, side), mode="bilinear", align_corners=False)


class AppearanceExtractor(nn.Module):
    """Torso image -> features with depth."""

    def __init__(self) -> None:
        super().__init__()
        self.in_conv = ConvNormAct(2, 5, 64, kernel=7)
        self.down = halvings(2, (64, 128, 256))
        self.mid_conv = nn.Conv2d(256, 512, 1)
        self.res = nn.Sequential(*(ResBlock(3, 32) for _ in range(6)))

    def forward(self, torso: Float[Tensor, "b 5 256 256"]) -> Appearance:
        """Features of colours and regions."""
        return self.res(self.mid_conv(self.down(self.in_conv(torso))).unflatten(1, (32, 16)))


class DeformBasedGenerator(nn.Module):
    """Deformed features, drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.in_conv = ConvNormAct(2, 512, 256, spectral=True, slope=0.2)
        self.mid_conv = nn.Conv2d(256, 256, 1)
        self.res = nn.Sequential(*(ResBlock(2, 256, spectral=True) for _ in range(6)))
        self.up = doublings(2, (256, 128, 64), spectral=True)
        self.out_conv = nn.Conv2d(64, 3, 7, padding=3)

    def forward(self, seen: Appearance) -> tuple[Float[Tensor, "b 3 256 256"], Float[Tensor, "b 64 256 256"]]:
        """Colours, and the features that they were made from."""
        hidden = self.up(self.res(self.mid_conv(self.in_conv(seen.flatten(1, 2)))))
        return self.out_conv(hidden), hidden


class TorsoModel(nn.Module):
    """Appearance, motion, drawing."""

    def __init__(self) -> None:
        super().__init__()
        self.appearance_extractor = AppearanceExtractor()
        self.motion_field_estimator = MotionFieldEstimator()
        self.deform_based_generator = DeformBasedGenerator()
        self.occlusion_2_predictor = nn.Sequential(
            conv3(65, 32), nn.ReLU(), conv3(32, 32), nn.ReLU(), conv3(32, 1), nn.Sigmoid()
        )

    def appearance(self, torso: Float[Tensor, "b 3 256 256"], segments: SegmentMap) -> tuple[Appearance, Regions]:
        """What depends on the portrait alone: features, black around the torso, and where it is."""
        features = self.appearance_extractor(torch.cat([torso, torso_regions(segments, 256)], 1))
        regions = torso_regions(segments, 64)
        around = functional.pad(regions.sum(1, keepdim=True), (3, 3, 3, 3), mode="reflect")
        mask = functional.max_pool2d(around, 7, 1)
        return features * mask[:, :, None], regions

    def forward(
        self,
        appearance: Appearance,
        regions: Regions,
        kp_source: KeyPoints,
        kp_driving: KeyPoints,
        head: Float[Tensor, "b 4 256 256"],
    ) -> Torso:
        """The torso under a head whose rendered colours and opacity are `head`."""
        field = self.motion_field_estimator(appearance, regions, kp_source, kp_driving, head)
        rgb, hidden = self.deform_based_generator(look_into(appearance, field.deformation, beyond="border"))
        return Torso(rgb, hidden, torso_occlusion(self.occlusion_2_predictor, hidden, field.torso_occlusion))


def torso_occlusion(
    predictor: nn.Module, hidden: Float[Tensor, "b 64 256 256"], coarse: Float[Tensor, "b 1 64 64"]
) -> Float[Tensor, "b 1 256 256"]:
    """Where the torso lies before the background, in detail."""
    wide = functional.interpolate(coarse, (256, 256), mode="bilinear", align_corners=False)
    return predictor(torch.cat([hidden, wide], 1))
