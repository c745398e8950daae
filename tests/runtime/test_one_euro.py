"""The filter of trembling values."""

from collections.abc import Sequence

import numpy as np
import pytest

from runtime.drivers.one_euro import OneEuro
from tests.runtime.face_script import FRAME_NS


def filtered(values: Sequence[float], step_ns: int, **settings: float) -> np.ndarray:
    one_euro = OneEuro(**{"min_cutoff_hz": 1.0, "beta": 0.5} | settings)
    return np.array([one_euro(np.array([v]), k * step_ns)[0] for k, v in enumerate(values)])


def test_one_euro_calms_a_trembling_value_and_follows_a_quick_one() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 200)
    assert filtered(noise, FRAME_NS)[50:].std() < 0.6 * noise.std()
    step = [0.0] * 10 + [1.0] * 10
    assert filtered(step, FRAME_NS, beta=20.0)[11] > 0.9
    assert filtered(step, FRAME_NS, beta=0.0)[11] < 0.5


def test_one_euro_without_speed_is_a_low_pass_of_its_cutoff() -> None:
    tau_s = 1 / (2 * np.pi * 1.0)
    step = filtered([0.0] + [1.0] * 2000, 1_000_000, beta=0.0)
    assert step[round(tau_s * 1000)] == pytest.approx(1 - np.exp(-1), abs=0.01)


def test_one_euro_keeps_its_value_for_an_old_instant_and_forgets_on_reset() -> None:
    one_euro = OneEuro(min_cutoff_hz=1.0, beta=0.0)
    first = np.array([1.0, 2.0])
    assert np.array_equal(one_euro(first, 100), first)
    assert np.array_equal(one_euro(np.array([9.0, 9.0]), 100), first)
    one_euro.reset()
    assert np.array_equal(one_euro(np.array([9.0, 9.0]), 50), [9.0, 9.0])
