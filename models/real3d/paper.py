"""Real3D-Portrait's networks as executors run them."""

from functools import partial

import torch
from torch import nn

from models.backends.layout import channels_last
from models.backends.paper import Painter, Paper, Stored
from models.fused_renderer import has_triton
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.folded import FrameNetwork
from models.real3d.folded_adapter import FoldedRenderer
from models.real3d.fused_renderer import FusedHeadRenderer
from models.real3d.levels import LEVELS
from models.real3d.networks import LAYOUT, STATE, FramePicture
from models.real3d.painter import painter_on
from models.real3d.portrait_state import PortraitState, prepare
from models.real3d.trial import trial
from models.real3d.video_model import PortraitParts, VideoModel
from models.triplane import look_up, look_up_on_cpu

STORED: tuple[Stored, ...] = ("float16", "float32")
"""float16, for tensor cores: 57 dB from float32 with weights made by rule; bfloat16 would be 44."""

Real3dPaper = Paper[PortraitParts, PortraitState, Drive]


def real3d_paper(model: VideoModel, face: Real3dFace) -> Real3dPaper:
    """The networks with weights; `face`: that drives count in."""

    def reference(device: torch.device) -> list[nn.Module]:
        read = look_up_on_cpu if device.type == "cpu" else look_up
        return _at_all_levels(FrameNetwork(model, renderer=partial(FoldedRenderer, look_up=read)))

    def captured(stored: Stored) -> list[nn.Module]:
        renderer = FusedHeadRenderer if has_triton() else FoldedRenderer
        return _at_all_levels(FrameNetwork(model, getattr(torch, stored), renderer))

    return Paper(
        name="real3d",
        model=model,
        layout=LAYOUT,
        state=STATE,
        drive=Drive._make,
        stored=STORED,
        defined_in=("models.real3d.networks",),
        assembled_in=__name__,
        prepare=partial(prepare, model),
        reference=reference,
        exported=lambda stored: FramePicture(FrameNetwork(model, getattr(torch, stored))),
        captured=captured,
        painter=partial(_painter, face),
        trial=trial,
    )


def _at_all_levels(network: FrameNetwork) -> list[nn.Module]:
    return [FramePicture(channels_last(network), level) for level in LEVELS]


def _painter(face: Real3dFace, device: torch.device) -> Painter[PortraitState, Drive]:
    paint = painter_on(device, face)
    return lambda state, drive: (paint(drive), drive.camera, drive.key_points)
