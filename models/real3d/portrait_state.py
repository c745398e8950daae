"""What the frame network needs of a portrait, computed once."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.real3d.folding import conv_at
from models.real3d.super_resolution import half_size
from models.real3d.torso_motion import Appearance, cell_centres, heat, torso_points
from models.real3d.video_model import PortraitParts, VideoModel
from models.triplane import PlaneAxes, Planes

MERGED_AXES: PlaneAxes = ((0, 1), (0, 2))
"""The second and third plane hold features of the same two axes: they become one."""
FEATURES = ("pncc", "still", "background_hidden")
"""Of a portrait's tensors, those of the type that the frame network's features have."""
STILL = 5
"""Of the hints that the motion field gets, those of the motion that keeps everything where it is."""


class PortraitState(NamedTuple):
    """Tensors that stay the same from frame to frame."""

    planes: Float[Tensor, "b 2 32 256 256"]
    pncc: Float[Tensor, "b 3 512 512"]
    """The prenet's result but for the driven face."""
    appearance: Appearance
    compressed: Float[Tensor, "b 4 16 64 64"]
    """Of the appearance, what the key points' motions deform."""
    still: Float[Tensor, "b 32 16 64 64"]
    """The part of the motion field's fuser that sees the appearance where it is."""
    points: Float[Tensor, "b 4 3"]
    """Key points that move the torso."""
    heat: Float[Tensor, "b 4 16 64 64"]
    """Around each of them."""
    background: Float[Tensor, "b 3 256 256"]
    background_hidden: Float[Tensor, "b 64 256 256"]
    """The part of the last fusion that sees the background."""


def merge_planes(planes: Planes) -> Float[Tensor, "b 2 c h w"]:
    """Two planes that hold what three did, read by `MERGED_AXES`."""
    first, second, third = planes.unbind(1)
    return torch.stack([first, second + third.transpose(-1, -2)], 1)


@torch.no_grad()
def prepare(model: VideoModel, portrait: PortraitParts) -> PortraitState:
    """Runs everything that depends on the portrait alone; seconds on a CPU."""
    composite, estimator = model.superresolution, model.superresolution.torso_model.motion_field_estimator
    appearance, regions = composite.torso_model.appearance(half_size(portrait.torso), portrait.segments)
    compressed = estimator.compressed(appearance, regions)
    fuser, points = estimator.tgt_head_fuser, torso_points(portrait.key_points)
    background = half_size(portrait.background)
    return PortraitState(
        planes=merge_planes(model.cano_img2plane_backbone(portrait.head)),
        pncc=_constant_pncc(model, portrait),
        appearance=appearance,
        compressed=compressed,
        still=functional.conv3d(compressed, fuser.weight[:, 1:STILL], fuser.bias, padding=3),
        points=points,
        heat=heat(points, cell_centres(appearance)),
        background=background,
        background_hidden=functional.conv2d(
            composite.bg_encoder(background), conv_at(composite.fuse_fg_bg_convs, 0).weight[:, 256:]
        ),
    )


def _constant_pncc(model: VideoModel, portrait: PortraitParts) -> Float[Tensor, "b 3 512 512"]:
    prenet = model.secc_img2plane_backbone.prenet
    constant = torch.cat([portrait.pncc_canonical, portrait.pncc_source], 1)
    return functional.conv2d(constant, prenet.scaled_weight()[:, :6], prenet.bias)
