"""The avatar: motion becomes what the networks are told, and their picture takes the size that is asked for."""

import numpy as np
import torch

from models.motion import Motion, expression
from models.talk3d.avatar import Talk3dAvatar
from models.talk3d.drive import Drive
from models.talk3d.person_state import PersonParts, PersonState
from models.talk3d.silence import blank
from tests.models.talk3d.synthetic import recording

SILENCE = blank()
PICTURE = np.full((512, 512, 3), 200, np.uint8)


class Told:
    """Networks that remember what they were told."""

    def __init__(self) -> None:
        self.drives: list[Drive] = []
        self.avatar = Talk3dAvatar((160, 90), recording(), SILENCE, self._prepare)

    def _prepare(self, parts: PersonParts) -> PersonState:
        assert parts.latent.shape == (1, 512)
        return PersonState(*[torch.zeros(1)] * len(PersonState._fields))

    def __call__(self, motion: Motion) -> Drive:
        self.picture = self.avatar.render(motion, self._frame)
        return self.drives[-1]

    def _frame(self, state: PersonState, drive: Drive) -> np.ndarray:
        self.drives.append(drive)
        return PICTURE


def test_the_picture_is_as_large_as_asked() -> None:
    told = Told()
    told(Motion(0))
    assert told.picture.shape == (90, 160, 3)
    assert (told.picture[:, 35:125] == 200).all()
    assert (told.picture[:, :35] == 0).all() and (told.picture[:, 125:] == 0).all()


def test_a_head_that_turns_is_seen_from_the_other_side() -> None:
    """Positive about the axis that points down: the face looks to the left of the picture, seen from the right."""
    told = Told()
    still = told(Motion(0)).camera
    turned = told(Motion(0, rotation=np.array([0.0, 0.1, 0.0], np.float32))).camera
    nodded = told(Motion(0, rotation=np.array([0.1, 0.0, 0.0], np.float32))).camera
    right, up = 3, 7  # of the camera's place, in the label
    assert turned[0, right] > still[0, right] + 0.1
    assert nodded[0, up] > still[0, up] + 0.1


def test_lids_and_speech_are_told() -> None:
    told = Told()
    speech = np.random.default_rng(0).standard_normal((8, 44, 16)).astype(np.float32)
    silent = told(Motion(0))
    spoken = told(Motion(0, expression(eyeBlinkLeft=1), speech=speech))
    assert silent.eye.item() == 0.0 and spoken.eye.item() == 1.5
    assert torch.equal(silent.sound[0], torch.from_numpy(SILENCE))
    assert torch.equal(spoken.sound[0], torch.from_numpy(speech))
