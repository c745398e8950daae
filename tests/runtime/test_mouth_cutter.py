"""What is cut out of a frame between the lips, and that nothing else comes along."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.face import load_face_model
from models.landmarks import Landmarks
from models.motion import Motion, MouthPatch, expression
from models.pose import NECK_PIVOT, Pose
from models.topology import INNER_LIPS
from runtime.drivers.mouth_cutter import HEIGHT, WIDTH, MouthCutter

SKIN, INSIDE = (0, 255, 0), (200, 30, 40)  # no green between the lips


@pytest.fixture(scope="module")
def cut() -> MouthCutter:
    return MouthCutter(load_face_model())


def face(
    x_px: float = 320.0, scale_px: float = 150.0, turn_deg: tuple[float, float, float] = (0, 0, 0), **shapes: float
) -> Landmarks:
    """The mean face in a picture of 640 x 480; turned down, to its right and clockwise."""
    model = load_face_model()
    points = model.mean + np.tensordot(expression(**shapes), model.expression, 1)
    rotation = cv2.Rodrigues(np.deg2rad(turn_deg))[0]
    return Pose(scale_px, rotation, np.array([x_px, 300.0, 0.0])).to_picture(points - NECK_PIVOT).astype(np.float32)


def picture(landmarks: Landmarks) -> np.ndarray:
    """`SKIN` everywhere but where a pixel's centre lies between the lips."""
    contour = landmarks[INNER_LIPS, :2].reshape(-1, 1, 2)
    image = np.full((480, 640, 3), SKIN, np.uint8)
    (left, top), (right, bottom) = np.floor(contour.min((0, 1))), np.ceil(contour.max((0, 1)))
    for y in range(max(int(top), 0), min(int(bottom) + 1, 480)):
        for x in range(max(int(left), 0), min(int(right) + 1, 640)):
            if cv2.pointPolygonTest(contour, (x, y), False) >= 0:
                image[y, x] = INSIDE
    return image


def patch_of(cut: MouthCutter, landmarks: Landmarks) -> MouthPatch:
    patch = cut(picture(landmarks), landmarks)
    assert patch is not None
    return patch


@pytest.mark.parametrize("scale_px", [70.0, 150.0, 290.0])
@pytest.mark.parametrize("turn_deg", [(0, 0, 0), (0, 0, 25), (10, 20, -10)])
@pytest.mark.parametrize("jaw", [0.35, 0.7])
def test_nothing_outside_the_lips_comes_along(
    cut: MouthCutter, scale_px: float, turn_deg: tuple[float, float, float], jaw: float
) -> None:
    pixels = patch_of(cut, face(300, scale_px, turn_deg, jawOpen=jaw)).pixels
    known = pixels.any(axis=2)
    assert known.any() and pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(pixels[known].astype(int) - INSIDE).max() <= 1


def test_the_avatar_shows_none_of_the_skin(cut: MouthCutter, portrait_png: Path) -> None:
    photo = read_photo(portrait_png)[:280, 90:370]
    avatar = BuiltinAvatar(prepare_portrait(photo, (512, 512)), load_face_model())
    for jaw in (0.3, 0.6, 1.0):
        motion = Motion(0, expression(mouthNeutral=1, jawOpen=jaw))
        shown = avatar.render(replace(motion, mouth=patch_of(cut, face(jawOpen=0.5))))
        changed = (shown != avatar.render(motion)).any(axis=2)
        assert changed.sum() > 200
        assert (shown[changed, 1] < shown[changed, 0]).all(), "nothing is green"


def test_what_is_between_the_lips_fills_the_patch_in_its_place(cut: MouthCutter) -> None:
    landmarks = face(turn_deg=(0, 0, 20), jawOpen=0.6)
    patch = patch_of(cut, landmarks)
    assert np.ptp(patch.lips[:, 0]) > 0.9 * (WIDTH - 8) or np.ptp(patch.lips[:, 1]) > 0.9 * (HEIGHT - 8)
    assert abs(patch.lips[10, 1] - patch.lips[0, 1]) < 0.5, "the corners are level"
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.round(patch.lips).astype(np.int32)], 1)
    known = patch.pixels.any(axis=2)
    assert (known & (mask > 0)).sum() > 0.7 * mask.sum(), "all but a rim"
    assert not (known & (mask == 0)).any()


def test_upper_teeth_stay_above(cut: MouthCutter) -> None:
    landmarks = face(jawOpen=0.6)
    image = picture(landmarks)
    image[: int(landmarks[[13, 14], 1].mean())] = (255, 255, 255)
    patch = cut(image, landmarks)
    assert patch is not None
    middle = patch.pixels[:, WIDTH // 2].astype(int)
    rows = np.flatnonzero(middle.any(axis=1))
    assert middle[rows[1]].min() > 250 and np.abs(middle[rows[-2]] - INSIDE).max() <= 1


def test_the_skin_is_that_of_the_cheeks(cut: MouthCutter) -> None:
    assert np.allclose(patch_of(cut, face(jawOpen=0.5)).skin, SKIN)


def test_a_closed_mouth_gives_nothing_and_an_opening_one_comes_in_gradually(cut: MouthCutter) -> None:
    weights = []
    for jaw in np.linspace(0, 0.5, 51):
        landmarks = face(jawOpen=float(jaw))
        patch = cut(picture(landmarks), landmarks)
        weights.append(0.0 if patch is None else patch.weight)
    assert weights[0] == 0.0 and weights[-1] == 1.0
    assert weights == sorted(weights)
    assert np.diff(weights).max() < 0.5


@pytest.mark.parametrize(
    "landmarks",
    [
        face(x_px, scale_px, turn_deg, jawOpen=0.6)
        for x_px, scale_px, turn_deg in [(320.0, 150.0, (0, 50, 0)), (320.0, 8.0, (0, 0, 0)), (5.0, 150.0, (0, 0, 0))]
    ],
    ids=["turned away", "tiny", "half outside the picture"],
)
def test_an_uncertain_mouth_gives_nothing(cut: MouthCutter, landmarks: Landmarks) -> None:
    assert cut(picture(landmarks), landmarks) is None


def test_the_frame_is_left_as_it_is(cut: MouthCutter) -> None:
    landmarks = face(jawOpen=0.5)
    image = picture(landmarks)
    before = image.copy()
    cut(image, landmarks)
    assert np.array_equal(image, before)
