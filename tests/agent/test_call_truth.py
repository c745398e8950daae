"""`agent call --guard`: what the user is told, and the portrait that leaves where one is asked for."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from agent.call.truth import SAID, SAID_OF_A_STRANGER, Truth
from calibration.portrait import prepare_portrait
from calibration.travelling import unpack
from models.landmarks import MediapipeTracker
from models.motion import Motion
from runtime.frame import Frame
from runtime.truth.guard import EVERY_NS
from tests.runtime.truth.filmed import film, lamp, photo, talking

LOOKS = 70  # 50 tell whose face it is
DARK_FROM = 20


@pytest.fixture
def head_png(tmp_path: Path) -> Path:
    """A photo that shows no more of the person than the camera does."""
    image, face = photo()
    path = tmp_path / "head.png"
    Image.fromarray(prepare_portrait(image, (400, 400), framing="head", landmarks=face).image).save(path)
    return path


class Camera:
    """The person of the photo, followed by the tracker; from a look on a lamp is on."""

    def __init__(self, truth: Truth) -> None:
        self._truth, self._tracker, self._k = truth, MediapipeTracker(), 0

    def look(self) -> None:
        k, self._k = self._k, self._k + 1
        seen = film(k, motion=Motion(k * EVERY_NS, rotation=talking(k).rotation))
        image = lamp(seen).frame.image if k >= DARK_FROM else seen.frame.image
        self._truth.look(Frame(image, seen.frame.pts_ns), self._tracker.track(image), seen.motion)
        threading.Event().wait(0.06)


@contextmanager
def filmed(portrait: Path, guard: Literal["off", "portrait"]) -> Iterator[tuple[list[str], list[bytes], Truth, Camera]]:
    """What is said and presented while a lamp goes on before the camera."""
    said: list[str] = []
    presented: list[bytes] = []
    truth = Truth(portrait, guard, said.append, presented.append)
    camera = Camera(truth)
    for _ in range(LOOKS):
        camera.look()
    yield said, presented, truth, camera
    truth.close()


def test_without_being_asked_it_only_tells(head_png: Path) -> None:
    with filmed(head_png, "off") as (said, presented, truth, _):
        assert said == [SAID["light"]]
        assert truth.figures() == {"now": "light", "times": {"light": 1}}
        truth.shown()
        assert presented == []


@pytest.mark.timeout(240)
def test_in_another_light_a_new_portrait_leaves_and_is_true(head_png: Path) -> None:
    with filmed(head_png, "portrait") as (said, presented, truth, camera):
        for _ in range(4 * LOOKS):
            if said[-1] == SAID[None]:
                break
            camera.look()
        assert said[1:] == [SAID["light"], "a new portrait of the camera's picture leaves", SAID[None]]
        assert "camera's picture leaves" in said[0], "before anything could leave"
        [data] = presented
        truth.shown()
        assert presented == [data, data], "whoever comes back is shown it again"
    picture = np.array(Image.open(io.BytesIO(unpack(data, "it").picture))).astype(float)
    assert len(data) < 70_000
    old = np.array(Image.open(head_png)).astype(float)
    left, right = (slice(170, 200), slice(150, 170)), (slice(170, 200), slice(235, 255))
    gains = [picture[at].mean() / old[at].mean() for at in (left, right)]
    assert gains[0] < 0.9 * gains[1], "it shows the lamp"


def test_somebody_who_is_not_in_the_photo_sends_no_picture(head_png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calibration.person.SAME_AS_PHOTO", 0.0)
    with filmed(head_png, "portrait") as (said, presented, _, _):
        assert presented == [] and said[1:] == [SAID["light"], SAID_OF_A_STRANGER]
