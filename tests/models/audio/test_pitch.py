"""Pitch: of known voices, causally, and in the bins that the released network was trained on."""

import numpy as np
import pytest

from models.audio.mel import RATE_HZ
from models.audio.pitch import HOP, PitchTracker, coarse


def voice(hz: np.ndarray, harmonics: int = 12) -> np.ndarray:
    """A buzz whose pitch is `hz` at each sample."""
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    return sum(np.sin(k * phase) / k for k in range(1, harmonics + 1)).astype(np.float32) * np.float32(0.2)


def heard(sound: np.ndarray) -> np.ndarray:
    return PitchTracker().push(sound)[2:]


def cents(f0: np.ndarray, hz: np.ndarray) -> np.ndarray:
    return np.abs(1200 * np.log2(f0 / hz))


@pytest.mark.parametrize("hz", [85.0, 123.4, 220.0, 431.0, 700.0])
def test_a_steady_voice_has_its_pitch(hz: float) -> None:
    f0 = heard(voice(np.full(RATE_HZ, hz)))
    assert len(f0) > 40
    assert cents(f0, hz).max() < 2


def test_a_gliding_voice_is_followed_in_time() -> None:
    hz = np.geomspace(100, 300, 2 * RATE_HZ)
    f0 = heard(voice(hz))
    middles = (np.arange(2, 2 + len(f0)) * HOP) + HOP // 2
    assert cents(f0, hz[middles]).max() < 10  # 20 ms earlier or later would be 19


def test_missing_fundamental_is_heard_all_the_same() -> None:
    times = np.arange(RATE_HZ) / RATE_HZ
    sound = sum(np.sin(2 * np.pi * 150 * k * times) for k in (3, 4, 5)).astype(np.float32) * np.float32(0.1)
    assert cents(heard(sound), 150).max() < 5


def test_noise_and_silence_have_no_pitch() -> None:
    noise = 0.3 * np.random.default_rng(0).standard_normal(2 * RATE_HZ).astype(np.float32)
    assert (heard(noise) > 0).mean() < 0.05
    assert (heard(np.zeros(RATE_HZ, np.float32)) == 0).all()


def test_a_voice_far_below_what_was_heard_is_silence() -> None:
    loud, hum = (gain * voice(np.full(RATE_HZ, 120.0)) for gain in (1.0, 0.002))
    f0 = PitchTracker().push(np.concatenate([loud, hum]))
    assert (f0[5:45] > 0).all()
    assert (f0[55:] == 0).all()


def test_one_odd_frame_is_no_octave_jump() -> None:
    sound = voice(np.full(RATE_HZ, 200.0))
    times = np.arange(HOP) / RATE_HZ
    sound[20 * HOP : 21 * HOP] += (0.06 * np.sin(2 * np.pi * 100 * times)).astype(np.float32)
    assert cents(heard(sound), 200).max() < 100


def test_pitch_does_not_depend_on_how_the_sound_is_cut() -> None:
    sound = voice(np.geomspace(90, 400, RATE_HZ))
    sound[6000:9000] = 0
    whole, cut = PitchTracker().push(sound), PitchTracker()
    parts = [cut.push(sound[at : at + 777]) for at in range(0, len(sound), 777)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_frame_is_complete_as_soon_as_said() -> None:
    needed = HOP * (7 + 3) + 460
    assert len(PitchTracker().push(np.zeros(needed - 1, np.float32))) == 7
    assert len(PitchTracker().push(np.zeros(needed, np.float32))) == 8


def test_bins_are_those_of_the_released_code() -> None:
    hz = [0, 20, 49, 50, 51, 80, 100, 123.4, 150, 200, 250, 333.3, 440, 600, 750, 1100, 1200]
    bins = [1, 1, 1, 1, 1, 12, 20, 28, 37, 54, 70, 94, 122, 161, 192, 255, 255]
    np.testing.assert_array_equal(coarse(np.array(hz, np.float32)), bins)
