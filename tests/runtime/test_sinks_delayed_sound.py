"""Delayed sound in simulated time: clicks that are captured at known instants are looked for in what is heard."""

import numpy as np
import pytest

from runtime.sinks.delayed_sound import DelayedSound
from runtime.sinks.sound_line import RATE_HZ
from runtime.sound import Sound

pytestmark = pytest.mark.long

START_NS = 5_000_000_000_321
MS = 1_000_000
LATENCY_S = 0.01


class Call:
    """A microphone and an output, each with a clock of its own, and the master clock between them."""

    def __init__(
        self,
        capture_ppm: float = 0.0,
        output_ppm: float = 0.0,
        tremble_s: float = 0.0,
        wave=None,
        block: int = 1920,
        captured: int | None = None,
    ) -> None:
        """A positive error is a clock that counts too few samples a second; `wave` is what is to be heard.

        `block` is the output's, `captured` the microphone's, in samples.
        """
        self.wave = wave or clicks
        self.captured = captured or block
        self.block, self.block_s = block, block / RATE_HZ
        self.sound = DelayedSound()
        self.heard: list[tuple[float, np.ndarray]] = []
        """Instant of the first sample, s, and samples of every block."""
        self.ages_s: list[float] = []
        self._capture_s = self.captured / RATE_HZ * (1 + capture_ppm * 1e-6)
        self._output_s = self.block_s * (1 + output_ppm * 1e-6)
        self._rng, self._tremble_s = np.random.default_rng(3), tremble_s
        self._captured = self._played = 0
        self.lie_s = 0.0
        """By how much later the output says that it is heard, from now on, than it is."""

    def run(self, until_s: float, *, captures: bool = True) -> None:
        while (out_s := self._played * self._output_s) < until_s:
            while (begin_s := self._captured * self._capture_s) + self._capture_s <= out_s:
                if captures:
                    instants = begin_s + np.arange(self.captured) / self.captured * self._capture_s
                    samples = self.wave(instants).astype(np.float32)[:, None]
                    self.sound.add(Sound(samples, RATE_HZ, START_NS + round(begin_s * 1e9)))
                self._captured += 1
            heard_s = out_s + LATENCY_S
            measured_s = heard_s + self.lie_s + self._rng.uniform(-1, 1) * self._tremble_s
            block = self.sound.read(self.block, START_NS + round(measured_s * 1e9))
            self.heard.append((heard_s, block[:, 0]))
            self.ages_s.append((self.sound.age_ns or 0) * 1e-9)
            self._played += 1

    def stall(self, blocks: int) -> None:
        """The output asks for nothing for so long."""
        self._played += blocks

    def delays_s(self) -> np.ndarray:
        """(heard at, s; how long after its capture, s) of every click."""
        found = []
        for heard_s, block in self.heard:
            peak = int(block.argmax())
            if block[peak] > 0.6:
                at_s = heard_s + peak / self.block * self._output_s
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


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("capture_ppm", "output_ppm", "seconds"), [(100, -100, 600), (-100, 100, 120)])
def test_drifting_clocks_leave_lips_and_voice_together(capture_ppm: float, output_ppm: float, seconds: int) -> None:
    call = Call(capture_ppm, output_ppm, tremble_s=0.005)  # left alone, 120 ms in ten minutes
    call.sound.aim(120 * MS)
    call.run(seconds)
    at_s, delay_s = call.delays_s().T
    assert len(at_s) > seconds - 5
    assert np.abs(delay_s - 0.12).max() < 0.01
    settled = at_s > 60
    assert abs(np.polyfit(at_s[settled] / 60, delay_s[settled], 1)[0]) < 0.001
    assert np.abs(np.array(call.ages_s)[-500:] - 0.12).max() < 0.003
    assert call.sound.underruns == 0


def test_a_changed_wish_is_approached_without_a_jump_and_never_fast() -> None:
    call = Call(wave=tone)
    call.sound.aim(120 * MS)
    call.run(10.0)
    call.sound.aim(180 * MS)
    call.run(40.0)
    heard = call.samples()[4 * RATE_HZ :]
    assert largest_step(heard) < 1e-4
    ages_s = np.array(call.ages_s)[200:]
    assert ages_s[-1] == pytest.approx(0.18, abs=0.002)
    assert np.abs(np.diff(ages_s)).max() / call.block_s < 0.005


def test_silence_at_first_until_the_delay_is_known_and_in_the_end_without() -> None:
    asked, unasked = Call(), Call()
    asked.run(1.0)
    asked.sound.aim(200 * MS)
    for call in (asked, unasked):
        call.run(8.0)
    assert asked.delays_s()[:, 1] == pytest.approx(0.2, abs=0.001)
    assert unasked.delays_s()[:, 1] == pytest.approx(0.1, abs=0.001)
    assert len(asked.delays_s()) > len(unasked.delays_s()) > 2


def test_sound_that_pauses_fades_out_and_in_and_keeps_its_delay() -> None:
    call = Call(wave=tone)
    call.sound.aim(120 * MS)
    call.run(6.0)
    call.run(7.0, captures=False)
    call.run(12.0)
    call.wave = clicks
    call.run(18.0)
    heard = call.samples()
    gap = heard[round(6.2 * RATE_HZ) : round(6.9 * RATE_HZ)]
    assert not gap.any()
    assert np.abs(np.diff(heard[4 * RATE_HZ : 11 * RATE_HZ])).max() < 0.01, "a cut would be a step of up to 0.5"
    assert call.delays_s()[-4:, 1] == pytest.approx(0.12, abs=0.002)
    assert call.sound.underruns == 1


def test_a_long_pause_says_nothing_of_how_late_sound_arrives() -> None:
    call = Call()
    call.sound.aim(120 * MS)
    call.run(6.0)
    call.run(9.5, captures=False)
    call.run(16.0)
    assert np.array(call.ages_s)[150:] == pytest.approx(0.12, abs=0.001)


def test_a_delay_that_was_lengthened_stays_in_a_long_pause() -> None:
    call = Call(block=480)
    call.sound.aim(0)
    call.run(8.0)
    before_s = call.ages_s[-1]
    call.run(12.0, captures=False)
    call.run(16.0)
    assert np.array(call.ages_s)[800:] == pytest.approx(before_s, abs=0.001)
    assert call.sound.underruns == 1


def test_an_output_that_lost_sound_is_caught_up_with_once_cross_faded() -> None:
    call = Call(wave=tone)
    call.sound.aim(120 * MS)
    call.run(6.0)
    call.stall(3)
    call.run(6.4)
    assert call.ages_s[-1] > 0.125
    call.run(8.0)
    assert call.ages_s[-1] == pytest.approx(0.12, abs=0.002)
    assert np.abs(np.diff(call.samples()[4 * RATE_HZ :])).max() < 0.01
    call.wave = clicks
    call.run(12.0)
    assert call.delays_s()[-4:, 1] == pytest.approx(0.12, abs=0.002)


def test_a_few_wild_latencies_move_next_to_nothing() -> None:
    call = Call(wave=tone)
    call.sound.aim(120 * MS)
    call.run(6.0)
    call.lie_s = 0.5
    call.run(6.2)
    call.lie_s = 0.0
    call.run(8.0)
    assert largest_step(call.samples()[4 * RATE_HZ :]) < 1e-4
    call.wave = clicks
    call.run(12.0)
    assert call.delays_s()[-4:, 1] == pytest.approx(0.12, abs=0.003)


@pytest.mark.parametrize("captured", [480, 1920])
def test_a_delay_that_is_too_short_for_sound_to_arrive_is_lengthened(captured: int) -> None:
    call = Call(block=480, captured=captured)
    call.sound.aim(0)
    call.run(10.0)
    delays_s = call.delays_s()[:, 1]
    captured_s = captured / RATE_HZ
    assert delays_s.min() > LATENCY_S + captured_s
    assert delays_s.max() < LATENCY_S + captured_s + 1.5 * call.block_s
    assert call.sound.underruns == 0


def test_an_output_that_begins_anew_keeps_the_delay() -> None:
    call = Call()
    call.sound.aim(120 * MS)
    call.run(6.0)
    call.sound.restart()
    assert call.sound.age_ns is None
    call.run(12.0)
    at_s, delay_s = call.delays_s().T
    assert delay_s == pytest.approx(0.12, abs=0.001)
    assert not ((at_s > 6.5) & (at_s < 7.5)).any(), "silent until latencies have settled"
