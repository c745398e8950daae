"""Real3D-Portrait's networks as executors run them."""

from functools import partial

import torch
from torch import nn

from models.backends.graph_executor import channels_last, has_triton
from models.backends.paper import Painter, Paper, Stored
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.folded import FrameNetwork
from models.real3d.levels import LEVELS
from models.real3d.networks import LAYOUT, STATE, FramePicture
from models.real3d.painter import painter_on
from models.real3d.portrait_state import PortraitState, prepare
from models.real3d.trial import trial
from models.real3d.video_model import PortraitParts, VideoModel

STORED: tuple[Stored, ...] = ("float16", "bfloat16", "float32")
"""Where tensor cores are, with weights made by rule: 57 dB from float32; bfloat16: 44 dB."""

Real3dPaper = Paper[PortraitParts, PortraitState, Drive]


def real3d_paper(model: VideoModel, face: Real3dFace) -> Real3dPaper:
    """The networks with weights; `face`: that drives count in."""

    def prepare_as(parts: PortraitParts, stored: torch.dtype) -> PortraitState:
        return prepare(model, parts).stored_as(stored)

    def captured(stored: Stored) -> list[nn.Module]:
        return _at_all_levels(channels_last(FrameNetwork(model, getattr(torch, stored), fused=has_triton())))

    return Paper(
        name="real3d",
        model=model,
        layout=LAYOUT,
        state=STATE,
        drive=Drive._make,
        stored=STORED,
        on_cpu="onnx",
        defined_in=("models.real3d.networks",),
        prepare=prepare_as,
        reference=lambda: _at_all_levels(FrameNetwork(model)),
        exported=lambda stored: FramePicture(FrameNetwork(model, getattr(torch, stored))),
        captured=captured,
        painter=partial(_painter, face),
        trial=trial,
    )


def _at_all_levels(network: FrameNetwork) -> list[nn.Module]:
    return [FramePicture(network, level) for level in LEVELS]


def _painter(face: Real3dFace, device: torch.device) -> Painter[PortraitState, Drive]:
    paint = painter_on(device, face)
    return lambda state, drive: (paint(drive), drive.camera, drive.key_points)
