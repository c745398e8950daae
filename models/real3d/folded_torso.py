"""The torso model for one frame, folded."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.real3d.folding import convolution, without_norms
from models.real3d.portrait_state import STILL, PortraitState
from models.real3d.torso import Torso, TorsoModel, torso_occlusion
from models.real3d.torso_motion import (
    KeyPoints,
    MotionFieldEstimator,
    blend,
    candidate_motions,
    cell_centres,
    deform,
    head_features,
    heat,
    torso_points,
)
from models.voxels import look_into

HEAD = 32
"""Channels of the head's features, the last that the fuser gets."""
DEPTH, TAPS = 16, 7
"""Cells of the motion field along its depth, and the fuser's reach."""


class DepthConstantConv(nn.Module):
    """3-D convolution of a map that is the same at every depth: 2-D, with one kernel for each way of being cut off."""

    def __init__(self, weight: Float[Tensor, "o i k k k"]) -> None:
        super().__init__()
        self.reach = reach = TAPS // 2
        self.outputs, self.inner = weight.shape[0], DEPTH - 2 * reach
        starts = [max(0, reach - i) for i in range(TAPS)]
        ends = [min(TAPS, TAPS + reach - i) for i in range(TAPS)]
        kernels = [weight[:, :, a:b].sum(2) for a, b in zip(starts, ends, strict=True)]
        self.conv = convolution(torch.cat(kernels), None)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o 16 h w"]:
        """The 3-D convolution's result."""
        planes = torch.unflatten(self.conv(x), 1, (TAPS, self.outputs)).transpose(1, 2)
        front, middle, back = torch.split(planes, [self.reach, 1, self.reach], 2)
        return torch.cat([front, middle.expand(-1, -1, self.inner, -1, -1), back], 2)


class FoldedMotionField(nn.Module):
    """Motion field whose portrait parts are constants."""

    def __init__(self, estimator: MotionFieldEstimator) -> None:
        super().__init__()
        folded = without_norms(estimator)
        self.down, self.up = folded.down, folded.up
        self.tgt_head_encoder, self.mask_conv = folded.tgt_head_encoder, folded.mask_conv
        self.occlusion_conv2 = folded.occlusion_conv2
        fuser = estimator.tgt_head_fuser.weight
        self.moving_fuser = convolution(fuser[:, STILL:-HEAD], None)
        self.head_fuser = DepthConstantConv(fuser[:, -HEAD:])

    def forward(
        self, state: PortraitState, kp_driving: KeyPoints, head: Float[Tensor, "b 4 256 256"]
    ) -> tuple[Float[Tensor, "b 16 64 64 3"], Float[Tensor, "b 1 64 64"]]:
        """Where the torso's features come from, and where it lies before the background."""
        cells = cell_centres(state.appearance)
        driving = torso_points(kp_driving)
        motions = candidate_motions(state.points, driving, cells)
        heats = (heat(driving, cells) - state.heat)[:, :, None]
        moving = torch.cat([heats, deform(state.compressed, motions[:, 1:])], 2).flatten(1, 2)
        hints = torch.cat([torch.zeros_like(heats[:, 0]), state.compressed, moving], 1)
        moving, hints = (x.to(state.still.dtype) for x in (moving, hints))
        where = torch.cat([moving, self.up(self.down(hints))], 1)
        of_head = self.head_fuser(head_features(self.tgt_head_encoder, head.to(state.still.dtype)))
        fused = self.moving_fuser(where) + state.still + of_head
        return blend(self.mask_conv(fused).float(), motions), torch.sigmoid(self.occlusion_conv2(fused.flatten(1, 2)))


class FoldedTorso(nn.Module):
    """Torso model whose portrait parts are constants."""

    def __init__(self, torso: TorsoModel) -> None:
        super().__init__()
        self.motion = FoldedMotionField(torso.motion_field_estimator)
        self.generator = without_norms(torso.deform_based_generator)
        self.occlusion_2_predictor = torso.occlusion_2_predictor

    def forward(self, state: PortraitState, kp_driving: KeyPoints, head: Float[Tensor, "b 4 256 256"]) -> Torso:
        """The torso under a head whose rendered colours and opacity are `head`."""
        deformation, coarse = self.motion(state, kp_driving, head)
        seen = look_into(state.appearance, deformation, beyond="border")
        rgb, hidden = self.generator(seen.to(state.still.dtype))
        return Torso(rgb, hidden, torso_occlusion(self.occlusion_2_predictor, hidden, coarse))
