"""`agent call --guard`: what the user is told, and the portrait that leaves where one is asked for."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from PIL import Image

from agent.call.truth import CAMERA_LEAVES, CAMERA_STAYS, SAID, SAID_OF_A_STRANGER, WARNED, Truth
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from calibration.travelling import unpack
from models.landmarks import MediapipeTracker
from models.motion import Motion
from runtime.frame import Frame
from runtime.glimpse import Glimpse, read_glimpse
from runtime.truth.guard import EVERY_NS, Seen
from runtime.truth.verdict import ENTER_NS, LEAVE_NS
from tests.runtime.truth.filmed import film, hand, lamp, looked, photo, talking

LOOKS = 70  # 50 tell whose face it is
DARK_FROM = 20
HAND_FROM, HAND_TO = 20, 40

Paint = Callable[[int, Seen], Seen]


@pytest.fixture
def head_png(tmp_path: Path) -> Path:
    """A photo that shows no more of the person than the camera does."""
    image, face = photo()
    path = tmp_path / "head.png"
    Image.fromarray(prepare_portrait(image, (400, 400), framing="head", landmarks=face).image).save(path)
    return path


class Camera:
    """The person of the photo, followed by the tracker, as a paint changes each look."""

    def __init__(self, truth: Truth, paint: Paint) -> None:
        self._truth, self._paint, self._tracker, self._k = truth, paint, MediapipeTracker(), 0
        self._looked = looked(truth._guard)

    def look(self) -> None:
        """Returns once the guard has looked, however long that takes."""
        k, self._k = self._k, self._k + 1
        self._looked.clear()
        seen = film(k, motion=Motion(k * EVERY_NS, rotation=talking(k).rotation))
        image = self._paint(k, seen).frame.image
        self._truth.look(Frame(image, seen.frame.pts_ns), self._tracker.track(image), seen.motion)
        assert self._looked.wait(60)


def dark(k: int, seen: Seen) -> Seen:
    return lamp(seen) if k >= DARK_FROM else seen


def covered(k: int, seen: Seen) -> Seen:
    return hand(seen) if HAND_FROM <= k < HAND_TO else seen


@contextmanager
def filmed(
    portrait: Path, guard: Literal["off", "portrait", "video"], paint: Paint = dark
) -> Iterator[tuple[list[str], list[bytes], Truth, Camera, list[Glimpse]]]:
    """What is said, presented and shown while something happens before the camera."""
    said: list[str] = []
    presented: list[bytes] = []
    shown: list[Glimpse] = []
    truth = Truth(portrait, guard, said.append, presented.append, shown.append)
    camera = Camera(truth, paint)
    for _ in range(LOOKS):
        camera.look()
    yield said, presented, truth, camera, shown
    truth.close()


def test_without_being_asked_it_only_tells(head_png: Path) -> None:
    with filmed(head_png, "off") as (said, presented, truth, _, shown):
        assert said == [SAID["light"]]
        assert truth.figures() == {"now": "light", "times": {"light": 1}}
        truth.shown()
        assert presented == [] and shown == []


@pytest.mark.timeout(240)
def test_in_another_light_a_new_portrait_leaves_and_is_true(head_png: Path) -> None:
    with filmed(head_png, "portrait") as (said, presented, truth, camera, shown):
        for _ in range(4 * LOOKS):
            if said[-1] == SAID[None]:
                break
            camera.look()
        assert said[1:] == [SAID["light"], "a new portrait of the camera's picture leaves", SAID[None]]
        assert "camera's picture leaves" in said[0], "before anything could leave"
        [data] = presented
        assert shown == [], "and no video"
        truth.shown()
        assert presented == [data, data], "whoever comes back is shown it again"
        truth.left()
        truth.shown()
        assert presented == [data, data], "but nobody who comes later"
    picture = np.array(Image.open(io.BytesIO(unpack(data, "it").picture))).astype(float)
    assert len(data) < 70_000
    old = np.array(Image.open(head_png)).astype(float)
    left, right = (slice(170, 200), slice(150, 170)), (slice(170, 200), slice(235, 255))
    gains = [picture[at].mean() / old[at].mean() for at in (left, right)]
    assert gains[0] < 0.9 * gains[1], "it shows the lamp"


def test_somebody_who_is_not_in_the_photo_sends_no_picture(head_png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calibration.person.SAME_AS_PHOTO", 0.0)
    with filmed(head_png, "portrait") as (said, presented, _, _, shown):
        assert presented == [] and shown == [] and said[1:] == [SAID["light"], SAID_OF_A_STRANGER]


def test_pictures_of_the_camera_leave_while_a_hand_is_before_the_face(head_png: Path) -> None:
    with filmed(head_png, "video", covered) as (said, presented, _, _, shown):
        assert said == [WARNED["video"], SAID["hidden"] + CAMERA_LEAVES, SAID[None] + CAMERA_STAYS]
        assert presented == []
    pictures = [glimpse for glimpse in shown if glimpse.data]
    assert shown == [*pictures, *[Glimpse(b"")] * 4]
    lasting = HAND_TO - HAND_FROM + (LEAVE_NS - ENTER_NS) / EVERY_NS
    assert abs(len(pictures) - lasting) <= 2
    rate_bps = 8 * np.mean([len(glimpse.data) + 100 for glimpse in pictures]) * 1e9 / EVERY_NS
    assert rate_bps < 64_000
    first = read_glimpse(pictures[0].data).astype(float)
    own = cv2.resize(read_photo(head_png), first.shape[1::-1], interpolation=cv2.INTER_AREA)
    left, top, right, bottom = (round(part * len(first)) for part in (0.4, 0.5, 0.55, 0.6))
    off = np.abs(first - own).mean(2)
    assert off[top:bottom, left:right].mean() > 2.5 * np.median(off), "the hand is in it, the rest as in the portrait"


def test_somebody_who_is_not_in_the_photo_is_seen_in_another_light(
    head_png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calibration.person.SAME_AS_PHOTO", 0.0)
    with filmed(head_png, "video") as (said, presented, _, _, shown):
        assert said == [WARNED["video"], SAID["light"] + CAMERA_LEAVES, SAID_OF_A_STRANGER]
        assert presented == [] and len(shown) > 10 and all(glimpse.data for glimpse in shown)
