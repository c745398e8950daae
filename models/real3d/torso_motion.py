"""How the torso moves: a field of displacements from four key points and the rendered head (paper section 3.4)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.real3d.sizes import DEPTH, RELEASED, Sizes
from models.real3d.torso_layers import ConvNormAct, ResBlock, doublings, halvings
from models.voxels import look_into

Appearance = Float[Tensor, "b c 16 h w"]
"""Features of the torso on a grid of depth, height and width: 32 on 16 x 64 x 64 cells."""
Regions = Float[Tensor, "b 2 h w"]
"""How much of each cell is skin of the body and clothes, 0..1."""
KeyPoints = Float[Tensor, "b 68 3"]
"""The 68 face key points: x to the right and y down, -1..1 across the picture; z = 0."""

TORSO_POINTS = (0, 8, 16, 27)
"""Ends of the jaw, chin and top of the nose."""
HEAT_SCALE = 0.02
"""Twice the variance of a key point's heat."""


class MotionField(NamedTuple):
    """Where the torso's features come from, and what hides them."""

    deformation: Float[Tensor, "b 16 h w 3"]
    """For each cell the place to look at, (x, y, z) in -1..1."""
    occlusion: Float[Tensor, "b 1 h w"]
    """Predicted by the released network; nothing uses it."""
    torso_occlusion: Float[Tensor, "b 1 h w"]
    """Where the torso lies before the background, 0..1."""


def torso_points(points: KeyPoints) -> Float[Tensor, "b 4 3"]:
    """The key points that move the torso; no list of indices has to travel to the device."""
    return torch.stack([points[:, i] for i in TORSO_POINTS], 1)


def cell_centres(like: Tensor) -> Float[Tensor, "16 h w 3"]:
    """(x, y, z) of the cells of a grid like this, -1..1; the outermost lie on the border."""
    counts = (int(n) for n in like.shape[-3:])  # numbers while a network is traced, too
    axes = [torch.linspace(-1, 1, n, dtype=like.dtype, device=like.device) for n in counts]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([x, y, z], -1)


def heat(points: Float[Tensor, "b k 3"], cells: Float[Tensor, "16 h w 3"]) -> Float[Tensor, "b k 16 h w"]:
    """How near each cell lies to each point, 0..1."""
    apart = cells - points[:, :, None, None, None]
    return torch.exp(apart.square().sum(-1) / -HEAT_SCALE)


def candidate_motions(
    source: Float[Tensor, "b k 3"], driving: Float[Tensor, "b k 3"], cells: Float[Tensor, "16 h w 3"]
) -> Float[Tensor, "b 1+k 16 h w 3"]:
    """Where a cell looks: at itself, or back along the way that each key point went."""
    still = torch.zeros_like(source[:, :1])
    back = torch.cat([still, source - driving], 1)
    return cells + back[:, :, None, None, None]


def deform(features: Float[Tensor, "b c 16 h w"], motions: Float[Tensor, "b k 16 h w 3"]) -> Tensor:
    """[b, k, c, 16, h, w]: features seen through each motion, zero beyond the grid."""
    count = motions.shape[1]
    repeated = features[:, None].expand(-1, count, -1, -1, -1, -1).flatten(0, 1)
    seen = look_into(repeated, motions.flatten(0, 1), beyond="zeros")
    return torch.unflatten(seen, 0, (-1, count))


def head_features(encoder: nn.Module, head: Float[Tensor, "b 4 side side"]) -> Float[Tensor, "b c side/4 side/4"]:
    """Features of the rendered head: colours and opacity."""
    side = int(head.shape[-1])  # a number while a network is traced, too
    half = functional.interpolate(head, (side // 2, side // 2), mode="bilinear", align_corners=False)
    return functional.interpolate(encoder(half), (side // 4, side // 4), mode="bilinear", align_corners=False)


class MotionFieldEstimator(nn.Module):
    """Masked key point motions, and a U-Net that says which of them holds where."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        width, hints = sizes.width(32), 25
        widths = tuple(sizes.width(64 << i) for i in range(sizes.halvings))
        self.compress = nn.Conv3d(width + 2, 4, 1)
        self.down = halvings(3, (hints, *widths))
        self.up = doublings(3, (*widths[::-1], width))
        self.tgt_head_encoder = nn.Sequential(ConvNormAct(2, 4, width, 7), *(ResBlock(2, width) for _ in range(3)))
        self.tgt_head_fuser = nn.Conv3d(hints + 2 * width, width, 7, padding=3)
        self.mask_conv = nn.Conv3d(width, 5, 7, padding=3)
        self.occlusion_conv = nn.Conv2d(DEPTH * width, 1, 7, padding=3)
        self.occlusion_conv2 = nn.Conv2d(DEPTH * width, 1, 7, padding=3)

    def compressed(self, appearance: Appearance, regions: Regions) -> Float[Tensor, "b 4 16 h w"]:
        """The few features that are deformed by each motion."""
        return self.compress(torch.cat([appearance, regions[:, :, None].expand(-1, -1, DEPTH, -1, -1)], 1))

    def forward(
        self,
        appearance: Appearance,
        regions: Regions,
        kp_source: KeyPoints,
        kp_driving: KeyPoints,
        head: Float[Tensor, "b 4 side side"],
    ) -> MotionField:
        """The field that brings the portrait's torso under the driven head."""
        cells = cell_centres(appearance)
        source, driving = torso_points(kp_source), torso_points(kp_driving)
        motions = candidate_motions(source, driving, cells)
        deformed = deform(self.compressed(appearance, regions), motions)
        heats = functional.pad(heat(driving, cells) - heat(source, cells), (0, 0, 0, 0, 0, 0, 1, 0))
        hints = torch.cat([heats[:, :, None], deformed], 2).flatten(1, 2)
        where = torch.cat([hints, self.up(self.down(hints))], 1)
        of_head = head_features(self.tgt_head_encoder, head)[:, :, None].expand(-1, -1, DEPTH, -1, -1)
        fused = self.tgt_head_fuser(torch.cat([where, of_head], 1))
        flat = fused.flatten(1, 2)
        return MotionField(
            blend(self.mask_conv(fused), motions),
            torch.sigmoid(self.occlusion_conv(flat)),
            torch.sigmoid(self.occlusion_conv2(flat)),
        )


def blend(scores: Float[Tensor, "b k 16 h w"], motions: Float[Tensor, "b k 16 h w 3"]) -> Float[Tensor, "b 16 h w 3"]:
    """Mean of the motions, weighted by the softmax of their scores."""
    return (torch.softmax(scores, 1)[..., None] * motions).sum(1)
