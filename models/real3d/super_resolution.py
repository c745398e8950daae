"""Head, torso and background become one picture, four times as large (paper section 3.4: HTB-SR)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.real3d.sizes import RELEASED, Sizes
from models.real3d.torso import SegmentMap, Torso, TorsoModel
from models.real3d.torso_motion import KeyPoints
from models.stylegan import Style, SynthesisBlock

Features = Float[Tensor, "b c h w"]
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

    def doubled(self) -> Float[Tensor, "b 4 _ _"]:
        """Colours and opacity, twice as large."""
        small = torch.cat([self.features[:, :3], self.opacity], 1)
        side = 2 * int(small.shape[-1])  # a number while a network is traced, too
        return functional.interpolate(small, (side, side), mode="bilinear", align_corners=False)


def style_of_ones(like: Tensor, sizes: Sizes = RELEASED) -> Style:
    """The style of all blocks."""
    return torch.ones(sizes.width(STYLE), dtype=like.dtype, device=like.device)


def half_size(image: Float[Tensor, "b c side side"]) -> Float[Tensor, "b c side/2 side/2"]:
    """A portrait's picture, smoothed and made smaller."""
    side = int(image.shape[-1]) // 2
    return functional.interpolate(image, (side, side), mode="bilinear", align_corners=False, antialias=True)


def person_mask(opacity: Mask, torso: Mask) -> Mask:
    """Where the person hides the background."""
    head = torch.where(opacity > HEAD_THRESHOLD, torch.ones_like(opacity), opacity)
    return (head + torso).clamp(0, 1)


def mix(front: Float[Tensor, "b c h w"], back: Float[Tensor, "b c h w"], mask: Mask) -> Float[Tensor, "b c h w"]:
    """`front` where the mask is 1, `back` where it is 0."""
    return front * mask + back * (1 - mask)


class SuperResolution(nn.Module):
    """Head-torso-background super-resolution."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        self._sizes = sizes
        width, narrow, style = sizes.width(256), sizes.width(64), sizes.width(STYLE)
        self.block0 = SynthesisBlock(32, width, style, side=sizes.half, up=True)
        self.block1 = SynthesisBlock(width, width // 2, style, side=sizes.side, up=True)
        self.head_torso_block = SynthesisBlock(width, width, style, side=sizes.half, up=False)
        self.torso_model = TorsoModel(sizes)
        self.torso_encoder = nn.Sequential(nn.Conv2d(narrow, width, 1))
        self.bg_encoder = nn.Sequential(
            conv3(3, narrow), nn.LeakyReLU(0.01), conv3(narrow, width), nn.LeakyReLU(0.01), conv3(width, width)
        )
        self.fuse_head_torso_convs = nn.Sequential(conv3(2 * width, width), nn.LeakyReLU(0.01), conv3(width, width))
        self.fuse_fg_bg_convs = nn.Sequential(
            nn.Conv2d(2 * width, narrow, 1),
            nn.LeakyReLU(0.01),
            conv3(narrow, width),
            nn.LeakyReLU(0.01),
            conv3(width, width),
        )
        # In the released weights; another way of fusing, which their configuration does not choose.
        self.head_torso_alpha_predictor = nn.Sequential(
            conv3(7, 32), nn.ReLU(), conv3(32, 32), nn.ReLU(), conv3(32, 1), nn.Sigmoid()
        )

    def forward(
        self,
        head: Head,
        torso: Float[Tensor, "b 3 full full"],
        background: Float[Tensor, "b 3 full full"],
        segments: SegmentMap,
        kp_source: KeyPoints,
        kp_driving: KeyPoints,
    ) -> Float[Tensor, "b 3 full full"]:
        """The picture; a little beyond -1..1 here and there."""
        doubled = head.doubled()
        appearance, regions = self.torso_model.appearance(half_size(torso), segments)
        moved = self.torso_model(appearance, regions, kp_source, kp_driving, doubled)
        return self.compose(head, doubled, moved, half_size(background))

    def head_alone(self, head: Head) -> Float[Tensor, "b 3 full full"]:
        """The head before nothing, as the earlier stages of the training enlarge it."""
        style = style_of_ones(head.features, self._sizes)
        return self.block1(*self.block0(head.features, head.features[:, :3], style), style)[1]

    def compose(
        self,
        head: Head,
        doubled: Float[Tensor, "b 4 half half"],
        torso: Torso,
        background: Float[Tensor, "b 3 half half"],
    ) -> Float[Tensor, "b 3 2*half 2*half"]:
        """The picture from its three layers; `doubled`: of the head."""
        opacity, style = doubled[:, 3:], style_of_ones(background, self._sizes)
        x, rgb = self.block0(head.features, head.features[:, :3], style)
        rgb = mix(rgb, torso.rgb, opacity)
        beside = torch.cat([x * opacity, self.torso_encoder(torso.hidden) * (1 - opacity)], 1)
        x, rgb = self.head_torso_block(self.fuse_head_torso_convs(beside), rgb, style)
        person = person_mask(opacity, torso.occlusion)
        rgb = mix(rgb, background, person)
        beside = torch.cat([x * person, self.bg_encoder(background) * (1 - person)], 1)
        return self.block1(self.fuse_fg_bg_convs(beside), rgb, style)[1]
