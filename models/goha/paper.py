"""GOHA's networks as executors run them."""

from functools import partial

import torch
from torch import nn

from models.backends.layout import channels_last
from models.backends.paper import Layout, Painter, Paper, StateKind, Stored
from models.goha.coefficients import SIDE as FACE_SIDE
from models.goha.drive import Drive
from models.goha.face import GohaFace
from models.goha.face_picture import FacePainter, Person
from models.goha.frame_network import FrameNetwork, narrowed, trimmed
from models.goha.levels import LEVELS
from models.goha.model import SIDE, Goha
from models.goha.portrait_state import PAINT, PortraitParts, PortraitState, prepare
from models.goha.torch_face_painter import TorchFacePainter
from models.goha.trial import trial
from models.goha.ways import Ways
from models.goha.ways_at_hand import captured as captured_ways
from models.goha.ways_at_hand import everywhere, ways_on

STATE = StateKind(PortraitState._fields, PortraitState._make, PortraitState.__module__)
STORED: tuple[Stored, ...] = ("float16", "float32")
"""float16, for tensor cores, where a picture is near enough: what the released weights lose is not known."""

GohaPaper = Paper[PortraitParts, PortraitState, Drive]


def layout_of(face: GohaFace) -> Layout:
    """Of tensors that know a face model."""
    vertices, planes = (len(face.model.mean), 3), (3, 32, 256, 256)
    state = {
        "normalised": (3, SIDE, SIDE),
        "keep": (1, SIDE, SIDE),
        "source_camera": (25,),
        "canonical": planes,
        "frozen": planes,
        "rest": vertices,
        "texture": vertices,
        "light": (9, 3),
        "pose": (4, 3),
    }
    return Layout(
        state=state,
        features=(),
        paint=PAINT,
        fresh={"face": (3, FACE_SIDE, FACE_SIDE), "camera": (25,)},
        drive={"expression": (64,), "camera": (25,)},
        picture=(SIDE, SIDE, 4),
    )


def goha_paper(model: Goha, face: GohaFace) -> GohaPaper:
    """The networks with weights, from here on in its hands; `face`: that drives count in."""
    model = trimmed(model)

    def at_all_levels(model: Goha, ways: Ways) -> list[nn.Module]:
        return [channels_last(FrameNetwork(model, ways, level)) for level in LEVELS]

    def captured(stored: Stored) -> list[nn.Module]:
        storage = getattr(torch, stored)
        return at_all_levels(narrowed(model, storage), captured_ways(model, storage))

    def exported(stored: Stored) -> nn.Module:
        return FrameNetwork(narrowed(model, getattr(torch, stored)), everywhere(model))

    return Paper(
        name="goha",
        model=model,
        layout=layout_of(face),
        state=STATE,
        drive=Drive._make,
        stored=STORED,
        defined_in=("models.goha.frame_network",),
        assembled_in=__name__,
        prepare=partial(prepare, model),
        reference=lambda device: at_all_levels(model, ways_on(model, device)),
        exported=exported,
        captured=captured,
        painter=lambda device: painter_on(device, face),
        trial=lambda: trial(face),
    )


def painter_on(device: torch.device, face: GohaFace) -> Painter[PortraitState, Drive]:
    """Loops compiled for the CPU there, torch on every other device."""
    if device.type == "cpu":
        return lambda state, drive: (_painted(face, state, drive), drive.camera)
    paint = TorchFacePainter(face, device)
    return lambda state, drive: (
        paint(drive.expression, state.rest, state.texture, state.light, state.pose),
        drive.camera,
    )


def _painted(face: GohaFace, state: PortraitState, drive: Drive) -> torch.Tensor:
    """Wherever the state lies."""
    persons = zip(*(getattr(state, name).cpu().numpy() for name in PAINT), drive.expression.numpy(), strict=True)
    return torch.stack(
        [torch.from_numpy(FacePainter(face, Person(*person))(expression)) for *person, expression in persons]
    )
