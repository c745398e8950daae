"""A fixed portrait and two drives, drawn by rule: networks are captured and exported on one, judged on the other."""

import numpy as np
import torch
from jaxtyping import Float64

from models.backends.paper import Trial
from models.real3d.camera import camera_labels
from models.real3d.drive import Drive
from models.real3d.torso_motion import KeyPoints
from models.real3d.video_model import Image, PortraitParts

_SIDE = 512


def trial() -> Trial[PortraitParts, Drive]:
    """All of it."""
    return Trial(trial_portrait(), trial_drive(), second_drive())


def trial_portrait() -> PortraitParts:
    """Waves of colour in an upright head over a torso, before other waves."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, _SIDE)] * 2, indexing="ij")
    head = ((x / 0.5).square() + ((y + 0.1) / 0.65).square() < 1).float()
    torso = (y > 0.35 + 0.5 * x.square()).float()
    behind = (1 - head) * (1 - torso)
    body, clothes = torso * (1 - head) * (y < 0.6), torso * (1 - head) * (y >= 0.6)
    nothing = torch.zeros_like(head)
    return PortraitParts(
        head=_waves(3.0) * head + head - 1,
        torso=_waves(5.0) * torso + torso - 1,
        background=_waves(2.0),
        segments=torch.stack([behind, nothing, body, head, clothes, nothing])[None],
        key_points=_key_points(0.0),
        pncc_canonical=_waves(1.0) * head + head - 1,
        pncc_source=_waves(1.05) * head + head - 1,
    )


def trial_drive() -> Drive:
    """A turned head that winks."""
    return _drive(np.array([[0.1, -0.2, 0.05]]), np.array([[0.1, 0.05, 0.2]]), (0.0, 0.4), 0.04)


def second_drive() -> Drive:
    """The head turned the other way, another person's, with closed eyes."""
    return _drive(np.array([[-0.08, 0.15, -0.1]]), np.array([[-0.05, 0.1, 0.1]]), (0.8, 1.0), -0.03)


def _drive(
    euler: Float64[np.ndarray, "1 3"],
    translation: Float64[np.ndarray, "1 3"],
    closures: tuple[float, float],
    shift: float,
) -> Drive:
    turn = torch.arange(144)[None] + 100 * shift
    return Drive(
        identity=0.5 * turn[:, :80].sin(),
        expression=0.5 * turn[:, 80:].sin(),
        closures=torch.tensor([closures]),
        camera=torch.from_numpy(camera_labels(euler, translation)),
        key_points=_key_points(shift),
    )


def _waves(frequency: float) -> Image:
    """-1..1, another wave in each colour."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, _SIDE)] * 2, indexing="ij")
    return torch.stack([torch.sin(frequency * (3 * x + i + (2 - i) * y)) for i in range(3)])[None]


def _key_points(shift: float) -> KeyPoints:
    """On a spiral, shifted."""
    turn = torch.linspace(0, 20, 68)
    flat = torch.stack([turn.cos() * turn / 30 + shift, turn.sin() * turn / 30 + shift, torch.zeros(68)], -1)
    return flat[None]
