"""Motion between the frames that are looked at."""

import numpy as np
import pytest

from models.motion import Motion, expression
from runtime.drivers.prediction import Prediction

MS = 1_000_000


def turned(yaw: float, pts_ms: float, jaw: float = 0.0, **more: object) -> Motion:
    return Motion(round(pts_ms * MS), expression(jawOpen=jaw), np.array([0, yaw, 0], np.float32), **more)  # type: ignore[arg-type]


def predict(*seen: Motion, pts_ms: float) -> Motion:
    prediction = Prediction()
    for motion in seen:
        prediction.learn(motion)
    predicted = prediction.at(round(pts_ms * MS))
    assert predicted is not None
    assert predicted.pts_ns == round(pts_ms * MS)
    return predicted


def test_before_the_first_there_is_nothing_and_then_it_is_held() -> None:
    assert Prediction().at(0) is None
    assert predict(turned(0.2, 0), pts_ms=40).rotation[1] == np.float32(0.2)


def test_what_moves_goes_on_by_half_of_its_velocity() -> None:
    surface = np.ones((478, 3), np.float32)
    motion = predict(turned(0.0, 0, 0.1, surface=0 * surface), turned(0.2, 80, 0.3, surface=surface), pts_ms=120)
    assert motion.rotation[1] == pytest.approx(0.25)
    assert motion["jawOpen"] == pytest.approx(0.35)
    assert motion.surface is not None
    np.testing.assert_allclose(motion.surface, 1.25)


def test_it_goes_no_further_than_once_and_within_the_bounds_of_coefficients() -> None:
    seen = turned(0.0, 0, 0.0), turned(0.2, 80, 1.45)
    assert predict(*seen, pts_ms=160).rotation[1] == pytest.approx(0.3)
    assert predict(*seen, pts_ms=900).rotation[1] == pytest.approx(0.3)
    assert predict(*seen, pts_ms=160)["jawOpen"] == 1.5


@pytest.mark.parametrize(
    "seen",
    [
        (turned(0.0, 0), turned(0.2, 400)),
        (turned(0.0, 0, confidence=0.0), turned(0.2, 40)),
        (turned(0.0, 0), turned(0.2, 40, confidence=0.0)),
        (turned(0.0, 40), turned(0.2, 40)),
    ],
    ids=["long ago", "unseen before", "unseen now", "at one instant"],
)
def test_without_a_velocity_the_last_is_held(seen: tuple[Motion, Motion]) -> None:
    assert predict(*seen, pts_ms=440).rotation[1] == np.float32(0.2)
