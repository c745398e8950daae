"""A fixed portrait and two drives, drawn by rule: networks are captured and exported on one, judged on the other."""

import numpy as np
import torch
from jaxtyping import Float32

from models.backends.paper import Trial
from models.goha.camera import camera_labels
from models.goha.crop import NEARNESS_DM, SIDE
from models.goha.drive import Drive
from models.goha.face import GohaFace
from models.goha.face_picture import FacePainter, Look, person_of
from models.goha.portrait_state import PortraitParts

PLAIN = Look(np.zeros(80), np.zeros(80), np.zeros(27), np.zeros(3), np.array([0.0, 0.0, NEARNESS_DM]))
"""The mean face in its own colours, in white light, from the front."""


def trial(face: GohaFace) -> Trial[PortraitParts, Drive]:
    """Waves of colour in the shape of a bust; a head that turns one way and another, speaking."""
    person = person_of(face, PLAIN)
    painted = FacePainter(face, person)(np.zeros(64))
    return Trial(
        PortraitParts(
            picture=_bust(),
            camera=_camera(0.0),
            face=torch.from_numpy(painted)[None],
            **{name: torch.from_numpy(values)[None] for name, values in person._asdict().items()},
        ),
        _drive(0.2),
        _drive(-0.15),
    )


def _drive(turn: float) -> Drive:
    return Drive(0.5 * (torch.arange(64)[None] + 100 * turn).sin(), _camera(turn))


def _camera(turn: float) -> Float32[torch.Tensor, "1 25"]:
    return torch.from_numpy(camera_labels(np.array([[turn / 2, turn, -turn / 3]]), np.zeros((1, 3))))


def _bust() -> Float32[torch.Tensor, "1 3 512 512"]:
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, SIDE)] * 2, indexing="ij")
    shown = (((x / 0.5).square() + ((y + 0.1) / 0.65).square() < 1) | (y > 0.5 + 0.5 * x.square())).float()
    waves = torch.stack([torch.sin(3 * (3 * x + k + (2 - k) * y)) for k in range(3)])[None]
    return waves * shown + shown - 1
