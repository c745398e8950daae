"""Two people before the camera: whom the tracker follows, with the real tracker on pictures of two heads."""

import numpy as np
import pytest

from calibration.photo import read_photo
from models.landmarks import FaceTracker, Landmarks, MediapipeTracker, face_width
from models.one_face import OneFace
from tests.people import Person

LEFT, RIGHT = 1, 2  # who is in the picture


@pytest.fixture(scope="module")
def head(portrait_png):
    return read_photo(portrait_png)[:256, 96:352]


def seen(head: np.ndarray, who: int) -> np.ndarray:
    image = np.full((300, 640, 3), 90, np.uint8)
    if who & LEFT:
        image[20:276, 20:276] = head
    if who & RIGHT:
        image[20:276, 364:620] = head[:, ::-1]
    return image


def sides(tracker: FaceTracker, head: np.ndarray, *who: int) -> list[str]:
    """Whose face is tracked in each of these pictures."""
    found = [tracker.track(seen(head, picture)) for picture in who]
    return ["-" if face is None else "L" if face[:, 0].mean() < 320 else "R" for face in found]


def test_a_face_that_is_hidden_is_not_replaced_by_another_and_found_again(head):
    tracker = OneFace(MediapipeTracker())
    assert sides(tracker, head, *[LEFT] * 3, *[LEFT | RIGHT] * 3) == ["L"] * 6
    assert sides(tracker, head, *[RIGHT] * 20) == ["-"] * 20
    found = sides(tracker, head, *[LEFT | RIGHT] * 10)
    assert found[-5:] == ["L"] * 5 and "R" not in found
    tracker.close()


def test_another_face_is_followed_when_the_first_stays_away(head):
    tracker = OneFace(MediapipeTracker())
    found = sides(tracker, head, *[LEFT] * 3, *[RIGHT] * 75)
    assert found[:3] == ["L"] * 3 and found[3:63] == ["-"] * 60
    assert found[-5:] == ["R"] * 5
    tracker.close()


@pytest.mark.parametrize("larger", [0, 1])
def test_the_largest_of_two_is_followed(head, larger):
    image = np.full((300, 640, 3), 90, np.uint8)
    for place, step in ((40, 1 if larger == 0 else 2), (364, 1 if larger == 1 else 2)):
        part = head[::step, ::step]
        image[20 : 20 + len(part), place : place + len(part)] = part
    tracker = OneFace(MediapipeTracker())
    places = [tracker.track(image) for _ in range(4)]
    tracker.close()
    assert all(face is not None and (face[:, 0].mean() > 320) == bool(larger) for face in places)


class Script:
    """Sees what it is told, in turn."""

    def __init__(self, *faces: Landmarks | None) -> None:
        self.faces, self.closed = list(faces), 0

    def track(self, image: np.ndarray) -> Landmarks | None:
        return self.faces.pop(0)

    def close(self) -> None:
        self.closed += 1


def test_a_face_may_move_quickly_but_not_jump_or_change_its_size():
    face = Person(1).seen(noise_px=0)
    width, image = face_width(face), np.zeros((480, 640, 3), np.uint8)
    centre = face.mean(0)
    right = np.array([width, 0, 0], np.float32)
    for other, follows in (
        (face + 0.7 * right, True),
        (face - 0.9 * right, False),
        ((face - centre) * np.float32(1.4) + centre, True),
        ((face - centre) * np.float32(0.5) + centre, False),
    ):
        tracker = OneFace(Script(face, None, None, other, None))
        assert tracker.track(image) is not None
        assert (tracker.track(image) is not None) == follows
    tracker.close()
