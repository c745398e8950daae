"""A sound line follows a clock that drifts, without a seam and without losing its place."""

import numpy as np
import pytest

from runtime.sinks.sound_line import RATE_HZ, SoundLine
from runtime.sound import Sound

TONE = 2 * np.pi * 50 / RATE_HZ  # a period of 20 ms: its phase tells an error of up to 10 ms
BLOCK = 1920
START_NS = 5_000_000_000_321


def heard(ppm: float, seconds: int, *, follow_drift: bool = True, tremble_ns: int = 0) -> tuple[SoundLine, np.ndarray]:
    """A tone from a sound card that is slow by `ppm`, with stamps that say so; read back second by second."""
    line = SoundLine(follow_drift=follow_drift)
    rng = np.random.default_rng(0)
    seconds_read = []
    for index in range(seconds * RATE_HZ // BLOCK):
        block = 0.5 * np.sin((np.arange(BLOCK) + index * BLOCK) * TONE).astype(np.float32)[:, None]
        stamp_ns = START_NS + round(index * BLOCK / RATE_HZ * (1 + ppm * 1e-6) * 1e9)
        stamp_ns += int(rng.integers(-tremble_ns, tremble_ns + 1)) if index else 0
        line.add(Sound(block, RATE_HZ, stamp_ns))
        if line.end is not None and line.end >= (len(seconds_read) + 2) * RATE_HZ:
            seconds_read.append(line.read(len(seconds_read) * RATE_HZ, RATE_HZ)[0])
    return line, np.concatenate(seconds_read).astype(np.float64)


def sync_error_s(samples: np.ndarray, ppm: float) -> np.ndarray:
    """By how much the tone is off where its stamps put it, for every second."""
    slow = TONE / (1 + ppm * 1e-6)
    wave = np.exp(-1j * slow * np.arange(len(samples))) * samples
    return (np.angle(wave.reshape(-1, RATE_HZ).sum(axis=1)) + np.pi / 2) / (2 * np.pi * 50)


def largest_step(samples: np.ndarray) -> float:
    """How far a sample is from where a tone would go on, at most. A jump by one sample makes 0.003."""
    return float(np.abs(samples[2:] + samples[:-2] - 2 * np.cos(TONE) * samples[1:-1]).max())


@pytest.mark.parametrize("ppm", [300, -300])
def test_drift_is_followed_without_a_jump(ppm: int) -> None:
    _, samples = heard(ppm, 150)  # 45 ms in all
    assert np.abs(sync_error_s(samples, ppm)).max() < 0.004
    assert largest_step(samples) < 1e-4


def test_trembling_stamps_change_the_sound_by_nothing_audible() -> None:
    _, samples = heard(100, 30, tremble_ns=15_000_000)
    assert np.abs(sync_error_s(samples, 100)).max() < 0.005
    assert largest_step(samples) < 1e-4


def test_stretching_keeps_high_tones() -> None:
    line = SoundLine(follow_drift=True)
    tone = np.sin(np.arange(10 * RATE_HZ) * 2 * np.pi * 15_000 / RATE_HZ).astype(np.float32)[:, None]
    for first in range(0, len(tone), 480):
        line.add(Sound(tone[first : first + 480], RATE_HZ, round(first / RATE_HZ * 1.0005 * 1e9)))
    late = line.read(5 * RATE_HZ, 4 * RATE_HZ)[0]
    spectrum = np.abs(np.fft.rfft(late * np.hanning(len(late))))
    peak = int(spectrum.argmax())
    assert peak / 4 == pytest.approx(15_000 / 1.0005, abs=8)
    spectrum[peak - 200 : peak + 200] = 0
    assert spectrum.max() < 0.001 * len(late) / 4


def test_without_following_the_samples_stay_as_they_are() -> None:
    _, samples = heard(300, 20, follow_drift=False)
    expected = 0.5 * np.sin(np.arange(len(samples)) * TONE).astype(np.float32)
    np.testing.assert_array_equal(samples, expected)


def test_a_run_ends_with_its_last_sample() -> None:
    line = SoundLine(follow_drift=True)
    line.add(Sound(np.full((4800, 1), 0.5, np.float32), RATE_HZ, START_NS))
    line.finish()
    assert line.end == 4800
    np.testing.assert_allclose(line.read(0, 4700), 0.5, atol=0.05)


def test_a_minute_is_kept_at_most() -> None:
    line = SoundLine(follow_drift=True)
    for index in range(70):
        line.add(Sound(np.full((RATE_HZ, 1), 0.5, np.float32), RATE_HZ, START_NS + index * 1_000_000_000))
    assert np.abs(line.read(0, 9 * RATE_HZ)).max() == 0
    assert np.abs(line.read(11 * RATE_HZ, RATE_HZ)).min() > 0.4
