"""MouthSight: mouths that are seen are believed, and those that are only guessed are not."""

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from models.motion import Motion, expression
from models.pose import NECK_PIVOT, Pose
from models.topology import OUTER_LIPS
from runtime.drivers.mouth_sight import FADE_NS, MouthSight

SIZE = 360
Seen = tuple[np.ndarray, np.ndarray]
"""Frame and landmarks."""
Hide = Callable[[np.ndarray, np.ndarray], np.ndarray]

SHAPES: list[dict[str, float]] = [
    {},
    {"jawOpen": 0.3},
    {"jawOpen": 0.6, "mouthFunnel": 0.3},
    {"jawOpen": 0.2, "mouthPucker": 0.8},
    {"mouthPressLeft": 0.8, "mouthPressRight": 0.8},
    {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "jawOpen": 0.2},
]


@pytest.fixture(scope="module")
def talk(portrait_png: Path) -> list[Seen]:
    """A person who speaks, as a tracker sees the avatar: each picture and its face."""
    portrait = prepare_portrait(read_photo(portrait_png)[:280, 90:370], (SIZE, SIZE))
    avatar, tracker = BuiltinAvatar(portrait, load_face_model()), MediapipeTracker()
    seen = []
    for k, shapes in enumerate(SHAPES):
        turn = np.deg2rad([0, 6 * np.sin(k), 0]).astype(np.float32)
        image = avatar.render(Motion(0, expression(mouthNeutral=1.0, **shapes), turn))
        for _ in range(3):
            face = tracker.track(image)
        assert face is not None
        seen.append((image, face))
    tracker.close()
    return seen


def looks(frames: Iterable[Seen], fps: int = 25, sight: MouthSight | None = None, start_ns: int = 0) -> np.ndarray:
    """Confidence [frames]."""
    sight = sight or MouthSight(load_face_model())
    return np.array(
        [sight(image, face, start_ns + round(k * 1e9 / fps)) for k, (image, face) in enumerate(frames)],
    )


def repeated(talk: list[Seen], frames: int, hide: Hide = lambda image, face: image) -> list[Seen]:
    """Two frames of each picture in turn."""
    chosen = [talk[k // 2 % len(talk)] for k in range(frames)]
    return [(hide(image, face), face) for image, face in chosen]


def covered(image: np.ndarray, face: np.ndarray, thing: np.ndarray) -> np.ndarray:
    """`thing` where the mouth is."""
    left, top = face[OUTER_LIPS, :2].min(0).astype(int) - 15
    right, bottom = face[OUTER_LIPS, :2].max(0).astype(int) + 15
    out = image.copy()
    out[top:bottom, left:right] = cv2.resize(thing, (right - left, bottom - top))
    return out


def with_skin(image: np.ndarray, face: np.ndarray) -> np.ndarray:
    """A hand: the skin of the person's own forehead."""
    x, y = face[151, :2].astype(int)
    return covered(image, face, image[y - 8 : y + 12, x - 15 : x + 15])


def with_foam(image: np.ndarray, face: np.ndarray) -> np.ndarray:
    grain = np.random.default_rng(0).normal(32, 5, (40, 40, 1))
    return covered(image, face, np.repeat(grain, 3, 2).clip(0, 255).astype(np.uint8))


def with_cloth(image: np.ndarray, face: np.ndarray) -> np.ndarray:
    return covered(image, face, np.full((20, 20, 3), (110, 150, 200), np.uint8))


def without_light(image: np.ndarray, _: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 2, image.shape)
    return np.clip(image * 0.02 + noise, 0, 255).astype(np.uint8)


def with_noise(image: np.ndarray, _: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 25, image.shape)
    return np.clip(image * 0.25 + noise, 0, 255).astype(np.uint8)


def in_shade(image: np.ndarray, face: np.ndarray) -> np.ndarray:
    below = np.arange(SIZE)[:, None, None] > face[2, 1]
    return np.where(below, image * [0.25, 0.2, 0.3], image).astype(np.uint8)


def monochrome(frames: list[Seen]) -> list[Seen]:
    return [(cv2.cvtColor(cv2.cvtColor(i, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), face) for i, face in frames]


HIDDEN = pytest.mark.parametrize("hide", [with_skin, with_foam, with_cloth, without_light, with_noise])
COLOURS = pytest.mark.parametrize("camera", [list, monochrome], ids=["colour", "monochrome"])


@COLOURS
def test_a_mouth_that_speaks_is_believed(talk: list[Seen], camera: Callable[[list[Seen]], list[Seen]]) -> None:
    assert (looks(camera(repeated(talk, 100))) == 1.0).all()


@HIDDEN
@COLOURS
@pytest.mark.parametrize("fps", [15, 25, 60])
def test_a_hidden_mouth_is_soon_doubted_and_soon_believed_again(
    talk: list[Seen], hide: Hide, camera: Callable[[list[Seen]], list[Seen]], fps: int
) -> None:
    frames = [*repeated(talk, 2 * fps), *repeated(talk, fps, hide), *repeated(talk, fps)]
    seen, hidden, after = np.split(looks(camera(frames), fps), [2 * fps, 3 * fps])
    assert (seen == 1.0).all()
    within = lambda seconds: int(seconds * fps)  # noqa: E731  # frames
    assert hidden[within(0.2) :].max() < 0.5 and hidden[within(0.3) :].max() == 0.0
    assert after[within(0.4) :].min() > 0.5 and after[within(0.5) :].min() == 1.0


@pytest.mark.parametrize("fps", [15, 25, 60])
def test_confidence_comes_and_goes_in_the_time_that_it_says(talk: list[Seen], fps: int) -> None:
    frames = [*repeated(talk, fps), *repeated(talk, fps, with_cloth), *repeated(talk, fps)]
    steps = np.diff(looks(frames, fps))
    assert np.abs(steps).max() <= 1e9 / fps / FADE_NS + 1e-6
    first, last = np.flatnonzero(steps < 0)[[0, -1]]
    assert (steps[first : last + 1] < 0).all() and abs((last + 1 - first) / fps - FADE_NS / 1e9) < 1.01 / fps


def test_however_long_the_camera_stood_still_a_mouth_does_not_jump(talk: list[Seen]) -> None:
    sight = MouthSight(load_face_model())
    looks(repeated(talk, 50), sight=sight)
    slow = looks(repeated(talk, 6, with_cloth), fps=1, sight=sight, start_ns=60_000_000_000)
    assert np.abs(np.diff([1.0, *slow])).max() <= 0.5 and slow[-1] == 0.0


def test_a_single_odd_frame_counts_for_nothing(talk: list[Seen]) -> None:
    frames = repeated(talk, 60)
    for k in (20, 40):
        frames[k] = (with_foam(*frames[k]), frames[k][1])
    assert (looks(frames) == 1.0).all()


@pytest.mark.parametrize("hide", [with_skin, with_foam, with_cloth])
def test_what_hides_the_mouth_from_the_start_is_not_learnt(talk: list[Seen], hide: Hide) -> None:
    confidence = looks([*repeated(talk, 125, hide), *repeated(talk, 25)])
    assert confidence[8:125].max() == 0.0
    assert confidence[-5:].min() == 1.0


def test_a_hand_that_stays_is_not_taken_for_a_mouth(talk: list[Seen]) -> None:
    confidence = looks([*repeated(talk, 50), *repeated(talk, 250, with_skin)])
    assert confidence[-240:].max() == 0.0


def test_lips_in_another_light_are_believed_after_a_while(talk: list[Seen]) -> None:
    confidence = looks([*repeated(talk, 50), *repeated(talk, 100, in_shade)])
    assert confidence[60] == 0.0
    assert confidence[-20:].min() == 1.0


def test_a_gap_in_which_no_face_was_seen_makes_no_other_lips_known(talk: list[Seen]) -> None:
    sight = MouthSight(load_face_model())
    looks([*repeated(talk, 50), *repeated(talk, 6, in_shade)], sight=sight)
    assert looks(repeated(talk, 30, in_shade), sight=sight, start_ns=5_200_000_000).max() == 0.0
    assert looks(repeated(talk, 50, in_shade), sight=sight, start_ns=6_400_000_000)[-20:].min() == 1.0


def test_lips_lighter_than_a_beard_are_believed_by_their_colour_at_once_else_after_a_while() -> None:
    landmarks = face((0, 0))
    bearded = painted(landmarks, beard=True)
    assert (looks([(bearded, landmarks)] * 50) == 1.0).all()
    assert looks(monochrome([(bearded, landmarks)] * 100))[-1] == 1.0


def test_without_colour_a_dark_thing_that_stays_is_not_taken_for_lips() -> None:
    landmarks = face((0, 0))
    foam = painted(landmarks, lips=(14, 14, 14))
    assert looks(monochrome([(painted(landmarks), landmarks)] * 50 + [(foam, landmarks)] * 150))[-100:].max() == 0.0


def test_what_could_be_the_lips_of_somebody_is_doubted_before_the_mouth_of_who_is_known() -> None:
    landmarks = face((0, 0))
    red, pale = painted(landmarks, lips=(165, 75, 80)), painted(landmarks, lips=(182, 124, 114))
    assert looks([(pale, landmarks)] * 50)[-1] == 1.0
    assert looks([(red, landmarks)] * 50 + [(pale, landmarks)] * 25)[-1] == 0.0


def face(turn_deg: tuple[float, float], x_px: float = 320.0, y_px: float = 300.0) -> np.ndarray:
    """The mean face in a picture of 640 x 480, turned down and aside."""
    rotation = cv2.Rodrigues(np.deg2rad([*turn_deg, 0.0]))[0]
    pose = Pose(110.0, rotation, np.array([x_px, y_px, 0.0]))
    return pose.to_picture(load_face_model().mean - NECK_PIVOT).astype(np.float32)


def painted(landmarks: np.ndarray, beard: bool = False, lips: tuple[int, int, int] = (170, 90, 90)) -> np.ndarray:
    """Skin with lips on it."""
    image = np.full((480, 640, 3), (200, 150, 130), np.uint8)
    if beard:
        cv2.circle(image, tuple(int(v) for v in landmarks[14, :2]), 55, (85, 64, 57), -1)
    cv2.fillPoly(image, [np.round(landmarks[OUTER_LIPS, :2]).astype(np.int32)], lips)
    return image


@pytest.mark.parametrize(
    ("landmarks", "believed"),
    [
        (face((0, 0)), 1.0),
        (face((0, 25)), 1.0),
        (face((0, -25)), 1.0),
        (face((0, 60)), 0.0),
        (face((-55, 0)), 0.0),
        (face((0, 0), y_px=515), 0.0),
        (face((0, 0), y_px=30), 0.0),
        (face((0, 0), x_px=30), 0.0),
        (face((0, 0), x_px=615), 0.0),
    ],
    ids=["ahead", "to the right", "to the left", "aside", "up", "below", "above", "left of the frame", "right of it"],
)
def test_a_mouth_that_nobody_can_see_is_not_believed(landmarks: np.ndarray, believed: float) -> None:
    assert looks([(painted(landmarks), landmarks)] * 25)[-1] == believed


def test_the_same_frames_give_the_same_and_stay_as_they_are(talk: list[Seen]) -> None:
    frames = [*repeated(talk, 30), *repeated(talk, 30, with_skin)]
    copies = [image.copy() for image, _ in frames]
    assert np.array_equal(looks(frames), looks(frames))
    assert all(np.array_equal(image, copy) for (image, _), copy in zip(frames, copies, strict=True))
