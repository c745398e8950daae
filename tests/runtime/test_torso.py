"""The torso follows the head a little at once and wholly in time."""

import numpy as np
import pytest

from models.motion import Motion
from runtime.torso import TorsoFollow

FRAME_NS = 40_000_000


def torsos(shifts: list[float]) -> list[float]:
    follow = TorsoFollow()
    out = []
    for k, shift in enumerate(shifts):
        moved = follow(Motion(0, translation=np.array([shift, 0, 0], np.float32)), k * FRAME_NS)
        assert moved.torso is not None
        out.append(float(moved.torso[0]))
    return out


def test_a_shake_of_the_head_hardly_moves_the_torso() -> None:
    shake = 0.2 * np.sin(np.arange(100) * 2 * np.pi / 10)  # 2.5 Hz
    assert np.abs(torsos(list(shake))[25:]).max() < 0.4 * 0.2


def test_a_head_that_stays_takes_the_torso_along() -> None:
    there = torsos([0.0] + [0.3] * 500)
    assert there[1] == pytest.approx(0.25 * 0.3, abs=0.02)
    assert (np.diff(there) >= 0).all()
    assert there[-1] == pytest.approx(0.3, abs=0.001)


def test_a_run_that_starts_off_centre_starts_whole() -> None:
    assert torsos([0.3]) == [pytest.approx(0.3)]
