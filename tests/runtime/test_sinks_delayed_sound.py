"""Delayed sound in simulated time: clicks that are captured at known instants are looked for in what is heard."""

import numpy as np
import pytest

from runtime.frame import Sound
from runtime.sinks.delayed_sound import DelayedSound
from runtime.sinks.sound_line import RATE_HZ

START_NS = 5_000_000_000_321
BLOCK = 960
BLOCK_S = BLOCK / RATE_HZ
LATENCY_S = 0.04


class Call:
    """A microphone and an output, each with a clock of its own, and the master clock between them."""

    def __init__(self, capture_ppm: float = 0.0, output_ppm: float = 0.0, tremble_s: float = 0.0) -> None:
        """A positive error is a clock that counts too few samples a second."""
        self.sound = DelayedSound()
        self.heard: list[tuple[float, np.ndarray]] = []
        """Instant of the first sample, s, and samples of every block."""
        self.ages_s: list[float] = []
        self._capture_s, self._output_s = BLOCK_S * (1 + capture_ppm * 1e-6), BLOCK_S * (1 + output_ppm * 1e-6)
        self._rng, self._tremble_s = np.random.default_rng(3), tremble_s
        self._captured = self._played = 0
        self.shift_s = 0.0
        """By how much the output's instants are off from now on: it lost or repeated sound."""

    def run(self, until_s: float, *, captures: bool = True, wave=None) -> None:
        while (out_s := self._played * self._output_s) < until_s:
            while (begin_s := self._captured * self._capture_s) + self._capture_s <= out_s:
                if captures:
                    instants = begin_s + np.arange(BLOCK) / BLOCK * self._capture_s
                    samples = (wave or clicks)(instants).astype(np.float32)[:, None]
                    self.sound.add(Sound(samples, RATE_HZ, START_NS + round(begin_s * 1e9)))
                self._captured += 1
            heard_s = out_s + LATENCY_S + self.shift_s
            measured_s = heard_s + self._rng.uniform(-1, 1) * self._tremble_s
            block = self.sound.read(BLOCK, START_NS + round(measured_s * 1e9))
            self.heard.append((heard_s, block[:, 0]))
            self.ages_s.append((self.sound.age_ns or 0) * 1e-9)
            self._played += 1

    def delays_s(self) -> np.ndarray:
        """(heard at, s; how long after its capture, s) of every click."""
        found = []
        for heard_s, block in self.heard:
            peak = int(np.abs(block).argmax())
            if abs(block[peak]) > 0.5:
                at_s = heard_s + peak / BLOCK * self._output_s
                found.append((at_s, at_s % 1.0))
        return np.array(found)

    def samples(self) -> np.ndarray:
        return np.concatenate([block for _, block in self.heard]).astype(np.float64)


def clicks(instants: np.ndarray) -> np.ndarray:
    """A click of a millisecond at every whole second."""
    return 0.9 * np.exp(-(((instants + 0.5) % 1.0 - 0.5) ** 2) / (2 * 0.0003**2))


def tone(instants: np.ndarray) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 50 * instants)


def largest_step(samples: np.ndarray) -> float:
    """How far a sample is from where the tone would go on, at most. A jump by one sample makes 0.003."""
    return float(np.abs(samples[2:] + samples[:-2] - 2 * np.cos(2 * np.pi * 50 / RATE_HZ) * samples[1:-1]).max())


@pytest.mark.parametrize(("capture_ppm", "output_ppm"), [(100, -100), (-100, 100)])
def test_over_ten_minutes_drifting_clocks_leave_lips_and_voice_together(capture_ppm: float, output_ppm: float) -> None:
    call = Call(capture_ppm, output_ppm, tremble_s=0.005)  # 120 ms in all, uncorrected
    call.sound.aim(120_000_000)
    call.run(600.0)
    at_s, delay_s = call.delays_s().T
    assert len(at_s) > 590
    assert np.abs(delay_s - 0.12).max() < 0.01
    settled = at_s > 60
    assert abs(np.polyfit(at_s[settled] / 60, delay_s[settled], 1)[0]) < 0.0002
    assert np.abs(np.array(call.ages_s)[-1000:] - 0.12).max() < 0.003
    assert call.sound.underruns == 0
