"""Gap, width and jaw on made-up faces whose coefficients are known."""

import numpy as np
import pytest

from calibration.mouth_seen import MouthSeen
from models.audio.lip_control import GAP, JAW, LipControl
from models.face import load_face_model
from models.motion import expression
from models.pose import fit_pose
from tests.people import Person

PERSON = Person(3)


def canonical(landmarks: np.ndarray) -> np.ndarray:
    return fit_pose(landmarks, load_face_model().mean).to_canonical(landmarks.astype(np.float64)).astype(np.float32)


NEUTRAL = canonical(PERSON.seen(noise_px=0.0))


def seen(**options: float) -> np.ndarray:
    """Gap, width and jaw of one face."""
    mouth = MouthSeen(load_face_model())
    mouth.add(PERSON.seen(noise_px=0.0, **options), 40_000_000)
    assert mouth.times_s.tolist() == [0.04]
    return mouth.measures(NEUTRAL)[0]


def test_rest_is_zero() -> None:
    np.testing.assert_allclose(seen(), 0, atol=0.03)


@pytest.mark.parametrize("yaw_deg", [0.0, 10.0])
def test_an_open_jaw_is_seen_as_far_as_it_is_open(yaw_deg: float) -> None:
    gap, _, jaw = seen(jawOpen=0.5, yaw_deg=yaw_deg)
    assert jaw == pytest.approx(0.5 / JAW, abs=0.08)
    assert gap == pytest.approx(LipControl(load_face_model()).gap(expression(jawOpen=0.5)) / GAP, abs=0.1)


def test_spread_is_wide_and_a_pucker_is_narrow() -> None:
    spread = seen(mouthStretchLeft=0.55, mouthStretchRight=0.55, mouthSmileLeft=0.45, mouthSmileRight=0.45)
    rounded = seen(mouthPucker=0.75, mouthFunnel=0.6)
    assert spread[1] == pytest.approx(1.0, abs=0.25)
    assert rounded[1] == pytest.approx(-1.0, abs=0.4)


def test_no_face_gives_no_rows() -> None:
    assert MouthSeen(load_face_model()).measures(NEUTRAL).shape == (0, 3)
