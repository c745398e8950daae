"""The video model for live use: once per portrait `prepare`, then one `FrameNetwork` call per frame.

The same pictures as `video_model.py` up to rounding. Styles, norms and whatever depends on the portrait alone are
folded into constants, and linear layers that follow one another are one layer. No call waits for the device, and none
depends on the values of its inputs: it can be captured in a CUDA graph and exported.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.backends.layout import stored_as
from models.real3d.folded_adapter import FoldedAdapter, FoldedRenderer
from models.real3d.folded_torso import FoldedTorso
from models.real3d.folding import biases, conv_at, convolution
from models.real3d.levels import LEVELS, Level
from models.real3d.portrait_state import PortraitState
from models.real3d.super_resolution import Features, Head, Mask, SuperResolution, mix, person_mask, style_of_ones
from models.real3d.torso import Torso
from models.real3d.torso_motion import KeyPoints
from models.real3d.video_model import Image, VideoModel
from models.stylegan import StyledBlock
from models.triplane import FieldDecoder


class HeadTorsoFusion(nn.Module):
    """Head beside torso, fused. The torso's 1x1 encoder is part of the first convolution: 65 channels, not 256."""

    def __init__(self, convs: nn.Sequential, encoder: nn.Conv2d) -> None:
        super().__init__()
        first, (_, *rest) = conv_at(convs, 0), convs
        of_head, of_torso = first.weight.chunk(2, 1)
        of_hidden = torch.einsum("oekl,ei->oikl", of_torso, encoder.weight[:, :, 0, 0])
        of_mask = torch.einsum("oekl,e->okl", of_torso, biases(encoder))[:, None]
        self.convs = nn.Sequential(convolution(torch.cat([of_head, of_hidden, of_mask], 1), first.bias), *rest)

    def forward(self, head: Features, hidden: Float[Tensor, "b 64 h w"], opacity: Mask) -> Features:
        """The fused features."""
        behind = 1 - opacity
        return self.convs(torch.cat([head * opacity, hidden * behind, behind], 1))


class BackgroundFusion(nn.Module):
    """Person before background, fused. The first convolution is 1x1, so masks come after it; half of it is constant."""

    def __init__(self, convs: nn.Sequential) -> None:
        super().__init__()
        first, (_, *rest) = conv_at(convs, 0), convs
        self.person = convolution(first.weight[:, :256], None)
        self.bias = nn.Parameter(biases(first)[:, None, None], requires_grad=False)
        self.rest = nn.Sequential(*rest)

    def forward(self, person: Features, background: Float[Tensor, "b 64 h w"], mask: Mask) -> Features:
        """The fused features."""
        return self.rest(mix(self.person(person), background, mask) + self.bias)


class FoldedComposite(nn.Module):
    """Head-torso-background super-resolution whose background is a constant."""

    def __init__(self, composite: SuperResolution) -> None:
        super().__init__()
        style = style_of_ones(composite.block0.conv0.bias)
        self.torso = FoldedTorso(composite.torso_model)
        self.block0 = StyledBlock(composite.block0, style)
        self.fuse_torso = HeadTorsoFusion(composite.fuse_head_torso_convs, conv_at(composite.torso_encoder, 0))
        self.head_torso_block = StyledBlock(composite.head_torso_block, style)
        self.fuse_background = BackgroundFusion(composite.fuse_fg_bg_convs)
        self.block1 = StyledBlock(composite.block1, style)

    def forward(self, state: PortraitState, head: Head, kp_driving: KeyPoints) -> Image:
        """The picture."""
        doubled = head.doubled()
        torso: Torso = self.torso(state, kp_driving, doubled)
        opacity, stored = doubled[:, 3:], state.background_hidden.dtype
        x, rgb = self.block0(head.features.to(stored), head.features[:, :3])
        rgb = mix(rgb, torso.rgb.float(), opacity)
        x, rgb = self.head_torso_block(self.fuse_torso(x, torso.hidden, opacity.to(stored)), rgb)
        person = person_mask(opacity, torso.occlusion.float())
        rgb = mix(rgb, state.background, person)
        return self.block1(self.fuse_background(x, state.background_hidden, person.to(stored)), rgb)[1]


class FrameNetwork(nn.Module):
    """Everything that runs once per frame. Made from a loaded model, some of whose tensors it shares.

    Features may be stored in 16 bits; places, colours, opacities and everything about the volume stay in float32.
    """

    def __init__(
        self,
        model: VideoModel,
        stored: torch.dtype = torch.float32,
        renderer: Callable[[FieldDecoder], nn.Module] = FoldedRenderer,
    ) -> None:
        """`stored`: type of the features and of the weights that they meet; `renderer`: made of the decoder."""
        super().__init__()
        with torch.no_grad():
            self.adapter = FoldedAdapter(model.secc_img2plane_backbone)
            self.renderer = renderer(model.decoder)
            self.composite = FoldedComposite(model.superresolution)
        self.adapter, self.composite = stored_as(self.adapter, stored), stored_as(self.composite, stored)
        self.eval().requires_grad_(False)

    def forward(
        self,
        state: PortraitState,
        pncc_target: Image,
        camera: Float[Tensor, "b 25"],
        kp_driving: KeyPoints,
        level: Level = LEVELS[0],
    ) -> Image:
        """One frame, -1..1. `state`: of `Paper.stored_as` the features' type."""
        change = self.adapter(state.pncc, pncc_target.to(state.pncc.dtype))
        head = self.renderer(state.planes, change, camera, level).at_128()
        return self.composite(state, head, kp_driving).clamp(-1, 1)
