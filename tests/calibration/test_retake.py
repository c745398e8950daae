"""A portrait taken anew: the camera's person where the photo had them, and nothing else of the camera's picture."""

import cv2
import numpy as np
import pytest

from calibration.portrait import choose_face
from calibration.retake import is_suited, retake
from models.expression import eye_distance
from models.face import load_face_model
from models.matte import person_matte
from tests.people import Person
from tests.runtime.truth.filmed import photo

WALL = (20, 220, 40)


def camera(dx: int, dy: int, scale: float = 0.8, light: float = 0.6) -> np.ndarray:
    """The photo's person before a green wall, in less light, shifted, 640 x 512."""
    image, face = photo()
    matte = person_matte(image, face)[..., None]
    person = (image * matte * light + np.array(WALL) * (1 - matte)).astype(np.uint8)
    place = np.array([[scale, 0, dx], [0, scale, dy]], float)
    return cv2.warpAffine(person, place, (640, 512), borderValue=WALL)


@pytest.fixture(scope="module")
def taken() -> np.ndarray:
    frame = camera(120, round(512 * 0.2))
    out = retake(frame, choose_face(frame, "frame")[0], *photo())
    assert out is not None
    return out


def test_the_person_is_where_the_photo_had_them_in_the_camera_s_light(taken: np.ndarray) -> None:
    image, face = photo()
    found, _ = choose_face(taken, "taken")
    assert taken.shape == image.shape
    assert np.linalg.norm(found[:468, :2] - face[:468, :2], axis=1).mean() < 0.08 * eye_distance(face)
    x, y = face[50, :2].astype(int)
    assert taken[y - 4 : y + 5, x - 4 : x + 5].mean() == pytest.approx(
        0.6 * image[y - 4 : y + 5, x - 4 : x + 5].mean(), rel=0.1
    )


def test_nothing_of_the_camera_s_room_gets_in(taken: np.ndarray) -> None:
    image, face = photo()
    away = cv2.dilate((person_matte(image, face) > 0.02).astype(np.uint8), np.ones((25, 25))) == 0
    assert np.abs(taken.astype(int) - image)[away].max() < 40, "the photo's own background"
    green = (taken[..., 1].astype(int) - taken[..., [0, 2]].max(2)) > 60
    assert green.mean() < 0.002


def test_a_camera_that_shows_too_little_gives_none() -> None:
    frame = camera(120, round(512 * 0.55))
    assert retake(frame, choose_face(frame, "frame")[0], *photo()) is None


def test_a_face_is_suited_that_looks_this_way_with_open_eyes_and_no_more_open_mouth_than_the_photo() -> None:
    mean = load_face_model().mean
    ours = Person(1).seen()
    for seen, suited in (
        (Person(1).seen(), True),
        (Person(1).seen(yaw_deg=10), True),
        (Person(1).seen(yaw_deg=25), False),
        (Person(1).seen(eyeBlinkLeft=1.0), False),
        (Person(1).seen(jawOpen=0.5), False),
    ):
        assert is_suited(seen, ours, mean) is suited
    assert is_suited(Person(1).seen(jawOpen=0.5), Person(1).seen(jawOpen=0.5), mean)
