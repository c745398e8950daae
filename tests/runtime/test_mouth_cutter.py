"""What is cut out of a frame between the lips, and that nothing else comes along."""

import logging
from collections.abc import Sequence
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
from models.topology import INNER_LIPS, OUTER_LIPS
from runtime.drivers.mouth_cutter import HEIGHT, WIDTH, MouthCutter
from tests.warned import warned

SKIN, INSIDE = (0, 255, 0), (200, 30, 40)  # no green between the lips


FRAME_NS = 40_000_000


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


def watch(faces: Sequence[Landmarks], frame_ns: int = FRAME_NS) -> list[MouthPatch | None]:
    """What a fresh cutter makes of these faces, one a frame."""
    cut = MouthCutter(load_face_model())
    return [cut(picture(landmarks), landmarks, 7 + k * frame_ns) for k, landmarks in enumerate(faces)]


def watch_images(images: Sequence[np.ndarray], landmarks: Landmarks) -> list[MouthPatch | None]:
    """The same of one face in these pictures."""
    cut = MouthCutter(load_face_model())
    return [cut(image, landmarks, 7 + k * FRAME_NS) for k, image in enumerate(images)]


def weights(patches: Sequence[MouthPatch | None]) -> list[float]:
    return [0.0 if patch is None else patch.weight for patch in patches]


def patch_of(landmarks: Landmarks, image: np.ndarray | None = None) -> MouthPatch:
    """The patch of a mouth that has been as it is for a while."""
    cut, image = MouthCutter(load_face_model()), picture(landmarks) if image is None else image
    cut(image, landmarks, 0)
    patch = cut(image, landmarks, 200_000_000)
    assert patch is not None and patch.weight == 1.0
    return patch


@pytest.mark.parametrize("scale_px", [110.0, 150.0, 290.0])
@pytest.mark.parametrize("turn_deg", [(0, 0, 0), (0, 0, 25), (10, 20, -10)])
@pytest.mark.parametrize("jaw", [0.4, 0.7])
def test_nothing_outside_the_lips_comes_along(
    scale_px: float, turn_deg: tuple[float, float, float], jaw: float
) -> None:
    pixels = patch_of(face(300, scale_px, turn_deg, jawOpen=jaw)).pixels
    known = pixels.any(axis=2)
    assert known.any() and pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(pixels[known].astype(int) - INSIDE).max() <= 1


def test_the_avatar_shows_none_of_the_skin(portrait_png: Path) -> None:
    photo = read_photo(portrait_png)[:280, 90:370]
    avatar = BuiltinAvatar(prepare_portrait(photo, (512, 512)), load_face_model())
    for jaw in (0.3, 0.6, 1.0):
        motion = Motion(0, expression(mouthNeutral=1, jawOpen=jaw))
        shown = avatar.render(replace(motion, mouth=patch_of(face(jawOpen=0.5))))
        changed = (shown != avatar.render(motion)).any(axis=2)
        assert changed.sum() > 200
        assert (shown[changed, 1] < shown[changed, 0]).all(), "nothing is green"


def test_what_is_between_the_lips_fills_the_patch_in_its_place() -> None:
    landmarks = face(turn_deg=(0, 0, 20), jawOpen=0.6)
    patch = patch_of(landmarks)
    assert np.ptp(patch.lips[:, 0]) > 0.9 * (WIDTH - 8) or np.ptp(patch.lips[:, 1]) > 0.9 * (HEIGHT - 8)
    assert abs(patch.lips[10, 1] - patch.lips[0, 1]) < 0.5, "the corners are level"
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.round(patch.lips).astype(np.int32)], 1)
    known = patch.pixels.any(axis=2)
    assert (known & (mask > 0)).sum() > 0.7 * mask.sum(), "all but a rim"
    assert not (known & (mask == 0)).any()


def test_lips_that_a_contour_takes_in_are_not_shown() -> None:
    """Pursed lips gape in landmarks: what has the colour of lips from the contour inwards is none of the mouth."""
    landmarks = face(jawOpen=0.6)
    inner = landmarks[INNER_LIPS, :2]
    half = (inner.mean(0) + 0.5 * (inner - inner.mean(0))).round().astype(np.int32)
    image = np.full((480, 640, 3), SKIN, np.uint8)
    lips = (150, 60, 60)
    cv2.fillPoly(image, [landmarks[OUTER_LIPS, :2].round().astype(np.int32)], lips)
    pursed = image.copy()
    cv2.fillPoly(image, [half], INSIDE)
    shown = patch_of(landmarks, image).pixels.reshape(-1, 3).astype(int)
    shown = shown[shown.any(1)]
    assert len(shown) > 50 and np.abs(shown - INSIDE).max() <= 40
    assert watch_images([pursed], landmarks) == [None]


def test_upper_teeth_stay_above() -> None:
    landmarks = face(jawOpen=0.6)
    image = picture(landmarks)
    upper = image[: int(landmarks[[13, 14], 1].mean())]
    upper[(upper == INSIDE).all(2)] = (255, 255, 255)
    patch = patch_of(landmarks, image)
    middle = patch.pixels[:, WIDTH // 2].astype(int)
    rows = np.flatnonzero(middle.any(axis=1))
    assert middle[rows[1]].min() > 250 and np.abs(middle[rows[-2]] - INSIDE).max() <= 1


def test_the_skin_is_that_of_the_cheeks() -> None:
    assert np.allclose(patch_of(face(jawOpen=0.5)).skin, SKIN)


def test_it_comes_and_goes_over_a_while_of_capture_time_whatever_the_frame_rate() -> None:
    shut, opened = face(), face(jawOpen=0.6)
    for frame_ns in (FRAME_NS, FRAME_NS // 2):
        shown = np.array(weights(watch([shut, *[opened] * 20, *[shut] * 40], frame_ns)))
        assert shown[0] == 0.0 and shown.max() == 1.0 and shown[-1] == 0.0
        assert np.abs(np.diff(shown)).max() <= frame_ns / 150e6 + 1e-9
        comes, goes = (
            np.flatnonzero(change)[[0, -1]] * frame_ns for change in (np.diff(shown) > 0, np.diff(shown) < 0)
        )
        for ramp in (comes, goes):
            assert 80e6 <= np.diff(ramp)[0] <= 170e6


def test_lips_that_close_between_two_sounds_do_not_bring_the_painted_mouth_back() -> None:
    patches = watch([face(jawOpen=jaw) for jaw in [0.6] * 6 + ([0.0] * 5 + [0.6] * 3) * 4])
    assert weights(patches)[6:] == [1.0] * 32
    assert all(patch is not None and patch.pixels.any() for patch in patches[1:])


def test_a_mouth_at_the_limit_stays_what_it_was() -> None:
    half = [face(jawOpen=0.28)] * 20
    assert watch(half) == [None] * 20
    assert weights(watch([face(jawOpen=0.5)] * 6 + half))[6:] == [1.0] * 20


def test_smiling_lips_whose_landmarks_gape_a_little_are_closed() -> None:
    smile = face(mouthSmileLeft=0.8, mouthSmileRight=0.8)
    upper, lower = INNER_LIPS[1:10], INNER_LIPS[:10:-1]
    width = float(np.linalg.norm(smile[INNER_LIPS[10], :2] - smile[INNER_LIPS[0], :2]))
    for gap in (0.0, 0.02, 0.05):
        gaping = smile.copy()
        gaping[upper, 1] -= 0.5 * gap * width
        gaping[lower, 1] += 0.5 * gap * width
        assert watch([gaping] * 10) == [None] * 10
    gaping[upper, 1] -= 0.1 * width
    assert weights(watch([gaping] * 10))[-1] == 1.0, "a smile that shows teeth"


def test_a_small_face_keeps_its_painted_mouth_throughout_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert watch([face(scale_px=90 + 4 * (k % 2), jawOpen=0.2 * (k % 5)) for k in range(30)]) == [None] * 30
    assert [line.partition(" (")[0] for line in warned(caplog, "runtime.drivers.mouth_cutter")] == [
        "the driver's face is too small"
    ]
    assert weights(watch([face(scale_px=100 - k, jawOpen=0.6) for k in range(11)]))[-1] == 1.0, (
        "it stays a little longer"
    )


@pytest.mark.parametrize(
    "landmarks",
    [
        face(x_px, scale_px, turn_deg, jawOpen=0.6)
        for x_px, scale_px, turn_deg in [(320.0, 150.0, (0, 50, 0)), (320.0, 8.0, (0, 0, 0)), (5.0, 150.0, (0, 0, 0))]
    ],
    ids=["turned away", "tiny", "half outside the picture"],
)
def test_an_uncertain_mouth_gives_nothing(landmarks: Landmarks) -> None:
    assert watch([landmarks] * 8) == [None] * 8


def test_the_frame_is_left_as_it_is() -> None:
    landmarks = face(jawOpen=0.5)
    image = picture(landmarks)
    before = image.copy()
    patch_of(landmarks, image)
    assert np.array_equal(image, before)
