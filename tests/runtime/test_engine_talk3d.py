"""The engine of Talk3D around its networks: one person, prepared once, whatever the portrait."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from calibration.background import on_background
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.motion import Motion
from models.portrait import Portrait
from models.talk3d.drive import Drive
from models.talk3d.person_state import PersonParts, PersonState
from models.talk3d.silence import blank
from runtime.engines import Engine
from runtime.engines.talk3d import Talk3dEngine
from tests.models.talk3d.synthetic import recording

WIDTH, HEIGHT = 400, 300


class Networks:
    """An executor that draws nothing but red."""

    name, levels, device = "fake", 2, torch.device("cpu")

    def __init__(self) -> None:
        self.persons: list[PersonParts] = []
        self.drives: list[Drive] = []
        self.drawn_at: list[int] = []
        self.is_open = True

    def prepare(self, portrait: PersonParts) -> PersonState:
        self.persons.append(portrait)
        return PersonState(*(torch.full((1,), float(len(self.persons))) for _ in PersonState._fields))

    def frame(self, state: PersonState, drive: Drive, level: int = 0) -> np.ndarray:
        assert self.is_open and all(tensor.item() == 1 for tensor in state)
        self.drives.append(drive)
        self.drawn_at.append(level)
        return np.full((512, 512, 3), (200, 10, 20), np.uint8)

    def close(self) -> None:
        self.is_open = False


@pytest.fixture(scope="module")
def photo(portrait_png: Path) -> Portrait:
    return on_background(prepare_portrait(read_photo(portrait_png), (WIDTH, HEIGHT)), "keep")


def test_a_person_is_prepared_once_and_drawn_in_every_photo_s_size(photo: Portrait) -> None:
    networks, told = Networks(), []
    engine = Talk3dEngine(recording(), blank(), networks, told.append)
    assert isinstance(engine, Engine) and not engine.portable and engine.levels == 2
    first = engine.prepare(photo)
    second = engine.prepare(photo)
    assert len(networks.persons) == 1
    np.testing.assert_array_equal(networks.persons[0].latent[0], recording().latent)
    assert any("draws the person whose weights were brought in" in line for line in told)
    for avatar in (first, second):
        picture = engine.render(avatar, Motion(0), level=1)
        assert picture.shape == (HEIGHT, WIDTH, 3)
        assert (picture[:, 50:350] == (200, 10, 20)).all() and not picture[:, :50].any()
    assert networks.drawn_at[-1] == 1
    engine.close()
    assert not networks.is_open
