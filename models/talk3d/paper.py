"""Talk3D's networks as executors run them."""

from functools import partial

import torch
from torch import nn

from models.backends.layout import channels_last
from models.backends.paper import Layout, Painter, Paper, StateKind, Stored
from models.fused_renderer import has_triton
from models.gfpgan.restoration import SIDE
from models.stylegan import Style
from models.talk3d.backbone import CHANNELS, PLANES
from models.talk3d.conditions import SPAN, SYMBOLS, WINDOWS
from models.talk3d.drive import Drive
from models.talk3d.frame_network import FrameNetwork
from models.talk3d.levels import LEVELS
from models.talk3d.look import FusedLook, Look, plain_look
from models.talk3d.model import Talk3D
from models.talk3d.person_state import PersonParts, PersonState, prepare
from models.talk3d.size import SMALLER, GeneratorSize, StageWidths
from models.talk3d.trial import trial
from models.triplane import look_up, look_up_on_cpu

STATE = StateKind(PersonState._fields, PersonState._make, PersonState.__module__)
STORED: tuple[Stored, ...] = ("float16", "float32")
"""float16, for tensor cores, where it is near enough: what the released weights lose is not known."""

Talk3dPaper = Paper[PersonParts, PersonState, Drive]

_DRIVE = {"sound": (WINDOWS, SYMBOLS, SPAN), "eye": (1,), "angles": (3,), "landmarks": (3, 2), "camera": (25,)}


def layout(generator: GeneratorSize, widths: StageWidths, restored: bool) -> Layout:
    """Of networks that are so large; `restored`: see `Talk3D`."""
    side, (first, second, deepest) = generator.planes, widths
    picture = SIDE if restored else generator.picture
    places = (side // SMALLER) ** 2
    return Layout(
        state={
            "planes": (PLANES, CHANNELS, side, side),
            "first": (PLANES, first, side // 2, side // 2),
            "second": (PLANES, second, side // 4, side // 4),
            "deepest": (PLANES, deepest, side // SMALLER, side // SMALLER),
            "within": (PLANES, places, deepest),
            "queries": (PLANES, places, deepest),
        },
        features=("first", "second", "deepest", "within", "queries"),
        paint=(),
        fresh=_DRIVE,
        drive=_DRIVE,
        picture=(picture, picture, 3),
    )


def talk3d_paper(model: Talk3D, latent: Style) -> Talk3dPaper:
    """The networks with weights; `latent`: of the person whose they are."""

    def network(look: Look, stored: Stored) -> FrameNetwork:
        return FrameNetwork(model, latent.to(model.conditions.null_vector.device), look, getattr(torch, stored))

    def at_all_levels(look: Look, stored: Stored = "float32") -> list[nn.Module]:
        best = channels_last(network(look, stored))
        return [best.at(level) for level in LEVELS]

    def reference(device: torch.device) -> list[nn.Module]:
        return at_all_levels(plain_look(model.generator, look_up_on_cpu if device.type == "cpu" else look_up))

    def captured(stored: Stored) -> list[nn.Module]:
        fused = has_triton() and FusedLook(model.generator, getattr(torch, stored))
        return at_all_levels(fused or plain_look(model.generator, look_up), stored)

    return Paper(
        name="talk3d",
        model=model,
        layout=layout(model.generator.size, model.deltaplane_predictor.widths, model.restoration is not None),
        state=STATE,
        drive=Drive._make,
        stored=STORED,
        defined_in=("models.talk3d.frame_network",),
        assembled_in=__name__,
        prepare=partial(prepare, model),
        reference=reference,
        exported=lambda stored: network(plain_look(model.generator, look_up), stored),
        captured=captured,
        painter=_painter,
        trial=lambda: trial(PersonParts(latent[None])),
    )


def _painter(device: torch.device) -> Painter[PersonState, Drive]:
    """Nothing is painted: the network is given the drive itself."""
    return lambda state, drive: tuple(drive)
