"""Head, torso and background become one picture, four times as large (paper section 3.4: HTB-SR)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.real3d.torso import SegmentMap, Torso, TorsoModel
from models.real3d.torso_motion import KeyPoints
from models.stylegan import Style, SynthesisBlock

Features = Float[Tensor, "b 256 h w"]
Mask = Float[Tensor, "b 1 h w"]
"""0..1."""

STYLE = 512
"""Length of the style vector."""
HEAD_THRESHOLD = 0.9
"""A head more opaque than this hides the background entirely."""


class Head(NamedTuple):
    """What the volume renderer saw."""

    features: Float[Tensor, "b 32 side side"]
    """The first three are the colours, -1..1; 128 pixels wide as the networks take it."""
    opacity: Float[Tensor, "b 1 side side"]

    def at_128(self) -> "Head":
        """As wide as the networks take it."""
        if self.features.shape[-1] == 128:
            return self
        return Head(*(functional.interpolate(x, (128, 128), mode="bilinear", align_corners=False) for x in self))

    def at_256(self) -> Float[Tensor, "b 4 256 256"]:
        """Colours and opacity, twice as large."""
        small = torch.cat([self.features[:, :3], self.opacity], 1)
        return functional.interpolate(small, (256, 256), mode="bilinear", align_corners=False)


def style_of_ones(like: Tensor) -> Style:
    """The style of all blocks."""
    return torch.ones(STYLE, dtype=like.dtype, device=like.device)


def half_size(image: Float[Tensor, "b c 512 512"]) -> Float[Tensor, "b c 256 256"]:
    """A portrait's picture, smoothed and made smaller."""
    return functional.interpolate(image, (256, 256), mode="bilinear", align_corners=False, antialias=True)


def person_mask(opacity: Mask, torso: Mask) -> Mask:
    """Where the person hides the background."""
    head = torch.where(opacity > HEAD_THRESHOLD, torch.ones_like(opacity), opacity)
    return (head + torso).clamp(0, 1)


def mix(front: Float[Tensor, "b c h w"], back: Float[Tensor, "b c h w"], mask: Mask) -> Float[Tensor, "b c h w"]:
    """`front` where the mask is 1, `back` where it is 0."""
    return front * mask + back * (1 - mask)


class SuperResolution(nn.Module):
    """Head-torso-background super-resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.block0 = SynthesisBlock(32, 256, STYLE, side=256, up=True)
        self.block1 = SynthesisBlock(256, 128, STYLE, side=512, up=True)
        self.head_torso_block = SynthesisBlock(256, 256, STYLE, side=256, up=False)
        self.torso_model = TorsoModel()
        self.torso_encoder = nn.Sequential(nn.Conv2d(64, 256, 1))
        self.bg_encoder = nn.Sequential(
            conv3(3, 64), nn.LeakyReLU(0.01), conv3(64, 256), nn.LeakyReLU(0.01), conv3(256, 256)
        )
        self.fuse_head_torso_convs = nn.Sequential(conv3(512, 256), nn.LeakyReLU(0.01), conv3(256, 256))
        self.fuse_fg_bg_convs = nn.Sequential(
            nn.Conv2d(512, 64, 1), nn.LeakyReLU(0.01), conv3(64, 256), nn.LeakyReLU(0.01), conv3(256, 256)
        )
        # In the released weights; another way of fusing, which their configuration does not choose.
        self.head_torso_alpha_predictor = nn.Sequential(
            conv3(7, 32), nn.ReLU(), conv3(32, 32), nn.ReLU(), conv3(32, 1), nn.Sigmoid()
        )

    def forward(
        self,
        head: Head,
        torso: Float[Tensor, "b 3 512 512"],
        background: Float[Tensor, "b 3 512 512"],
        segments: SegmentMap,
        kp_source: KeyPoints,
        kp_driving: KeyPoints,
    ) -> Float[Tensor, "b 3 512 512"]:
        """The picture; a little beyond -1..1 here and there."""
        head_256 = head.at_256()
        appearance, regions = self.torso_model.appearance(half_size(torso), segments)
        moved = self.torso_model(appearance, regions, kp_source, kp_driving, head_256)
        return self.compose(head, head_256, moved, half_size(background))

    def compose(
        self, head: Head, head_256: Float[Tensor, "b 4 256 256"], torso: Torso, background: Float[Tensor, "b 3 256 256"]
    ) -> Float[Tensor, "b 3 512 512"]:
        """The picture from its three layers."""
        opacity, style = head_256[:, 3:], style_of_ones(background)
        x, rgb = self.block0(head.features, head.features[:, :3], style)
        rgb = mix(rgb, torso.rgb, opacity)
        beside = torch.cat([x * opacity, self.torso_encoder(torso.hidden) * (1 - opacity)], 1)
        x, rgb = self.head_torso_block(self.fuse_head_torso_convs(beside), rgb, style)
        person = person_mask(opacity, torso.occlusion)
        rgb = mix(rgb, background, person)
        beside = torch.cat([x * person, self.bg_encoder(background) * (1 - person)], 1)
        return self.block1(self.fuse_fg_bg_convs(beside), rgb, style)[1]
