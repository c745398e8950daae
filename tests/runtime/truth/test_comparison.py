"""Faces taken off pictures, and what differs between two."""

import numpy as np
import pytest

from models.face import load_face_model
from models.motion import Motion
from runtime.truth.comparison import Comparison, Difference, distance
from runtime.truth.unwrap import Unwrap
from tests.runtime.truth.filmed import avatar, film, gamma, hand, talking

UNWRAP = Unwrap(load_face_model())


def unwrapped(seen):
    return UNWRAP(seen.frame.image, seen.landmarks[:468, :2].astype(np.float64))


def test_a_turned_face_unwraps_to_itself_and_its_far_side_is_not_seen() -> None:
    front = unwrapped(film(0, motion=Motion(0)))
    turned = unwrapped(film(0, motion=Motion(0, rotation=np.array([0, 0.45, 0], np.float32))))
    both = front.seen & turned.seen
    assert np.median(np.abs(front.luma - turned.luma)[both]) < 4
    assert front.seen.mean() > 0.75
    assert 0.3 < turned.seen.sum() / front.seen.sum() < 0.95
    unseen = np.nonzero(front.seen & ~turned.seen)[1]
    assert min(unseen.mean(), 63 - unseen.mean()) < 20, "it is one side"


def test_eyes_and_the_inside_of_the_mouth_are_not_compared() -> None:
    face = load_face_model().mean[:468, :2]
    at = ((face - face.min(0)) / np.ptp(face, 0) * 63).round().astype(int)
    for inner in ((159, 145), (386, 374)):
        x, y = at[list(inner)].mean(0).round().astype(int)
        assert not UNWRAP.skin[y, x]
    assert UNWRAP.skin[tuple(at[4][::-1])]


def test_what_lies_beyond_the_picture_is_not_seen() -> None:
    seen = film(0)
    shifted = seen.landmarks[:468, :2].astype(np.float64) - [seen.landmarks[4, 0], 0]
    assert unwrapped(seen).seen.sum() > 1.6 * UNWRAP(seen.frame.image, shifted).seen.sum()


def compared(comparison: Comparison, seen, k: int) -> Difference | None:
    small, motion = avatar(128), seen.motion
    at = small.landmarks(motion)[:, :2]
    drawn = UNWRAP(small.render(motion), at)
    return comparison(unwrapped(seen), drawn, seen.landmarks[:468, :2].astype(np.float64), at, k * 150_000_000)


@pytest.fixture
def comparison() -> Comparison:
    out = Comparison()
    for k in range(8):
        compared(out, film(k), k)
    return out


def test_nothing_is_told_while_the_usual_difference_is_learnt() -> None:
    comparison = Comparison()
    assert [compared(comparison, film(k), k) is None for k in range(9)] == [True] * 8 + [False]


def test_light_is_measured_and_is_not_taken_for_something_before_the_face(comparison: Comparison) -> None:
    true = compared(comparison, film(9), 9)
    darker = compared(comparison, gamma(film(9), 2.6), 9)
    assert true is not None and darker is not None
    assert abs(true.gain) < 0.05 and true.slope < 0.05 and true.hidden < 0.05 and true.apart < 0.01
    assert darker.gain < -0.3 and darker.hidden < 0.1


def test_something_before_the_face_is_not_taken_for_light(comparison: Comparison) -> None:
    hidden = compared(comparison, hand(film(9)), 9)
    assert hidden is not None
    assert hidden.hidden > 0.2 and abs(hidden.gain) < 0.2


def test_a_shape_apart_is_told_whatever_its_place_size_and_tilt() -> None:
    points = avatar(128).landmarks(talking(0))[:, :2]
    tilt = np.array([[0.8, -0.6], [0.6, 0.8]])
    assert distance(3 * points @ tilt + 40, points) == pytest.approx(0, abs=1e-9)
    assert distance(points * [1.0, 1.2], points) > 0.05
