"""Two drives, drawn by rule: networks are captured and exported on one, judged on the other."""

import torch

from models.backends.paper import Trial
from models.talk3d.camera import camera_label
from models.talk3d.conditions import SPAN, SYMBOLS, WINDOWS
from models.talk3d.drive import Drive
from models.talk3d.person_state import PersonParts


def trial(person: PersonParts) -> Trial[PersonParts, Drive]:
    """A head that turns one way and another, speaking."""
    return Trial(person, _drive(0.2), _drive(-0.15))


def _drive(turn: float) -> Drive:
    count = WINDOWS * SYMBOLS * SPAN
    sound = 3 * (torch.arange(count) * (0.7 + turn)).sin().reshape(1, WINDOWS, SYMBOLS, SPAN)
    return Drive(
        sound,
        torch.tensor([[0.4]]),
        torch.tensor([[20.0, -17.0 + 50 * turn, 1.0]]),
        torch.tensor([[[turn, 0.1], [turn + 0.2, -0.1], [turn - 0.2, -0.1]]]),
        torch.from_numpy(camera_label(turn, turn / 4))[None],
    )
