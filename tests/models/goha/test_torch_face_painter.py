"""Torch paints lit faces on any device as they are painted on the CPU."""

import numpy as np
import pytest
import torch
from golden import goha_inputs

from models.goha.coefficients import read
from models.goha.crop import NEARNESS_DM
from models.goha.drive import Drive
from models.goha.face import GohaFace
from models.goha.face_picture import Look, person_of
from models.goha.paper import painter_on
from models.goha.portrait_state import PortraitState
from models.goha.torch_face_painter import TorchFacePainter

CPU = torch.device("cpu")
NOTHING = torch.zeros(1)


@pytest.fixture(scope="module")
def face() -> GohaFace:
    return goha_inputs.face()


def test_a_lit_person_is_painted_as_on_the_cpu(face: GohaFace) -> None:
    known = read(goha_inputs.coefficients())
    names = ("identity", "texture", "light", "angle")
    look = Look(*(getattr(known, name)[0].numpy() for name in names), np.array([0.02, -0.05, NEARNESS_DM]))
    person = [torch.from_numpy(values)[None] for values in person_of(face, look)]
    state, drive = PortraitState(*[NOTHING] * 5, *person), Drive(known.expression, torch.ones(1, 25))
    expected, camera = painter_on(CPU, face)(state, drive)
    drawn = TorchFacePainter(face, CPU)(known.expression, *person)
    assert camera is drive.camera and drawn.shape == expected.shape == (1, 3, 224, 224)
    assert (expected > -1).any(1).float().mean() > 0.2
    off = (drawn - expected).abs().amax(1)
    assert (off > 0.01).float().mean() < 1e-3, "but where rounding moves an edge over a pixel's centre"
    assert off.median() < 1e-5


def test_on_other_devices_torch_paints(face: GohaFace) -> None:
    meta = torch.device("meta")
    count = len(face.model.mean)
    shapes = ((1, count, 3), (1, count, 3), (1, 9, 3), (1, 4, 3))
    state = PortraitState(*[NOTHING] * 5, *(torch.empty(shape, device=meta) for shape in shapes))
    drawn, _ = painter_on(meta, face)(state, Drive(torch.empty(1, 64, device=meta), torch.empty(1, 25, device=meta)))
    assert drawn.device == meta and drawn.shape == (1, 3, 224, 224)
