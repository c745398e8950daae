"""Sound of any rate and channels -> gapless speech windows at 16 kHz mono."""

from fractions import Fraction

import numpy as np
from jaxtyping import Float32

from runtime.sound import SPEECH_RATE_HZ, AudioWindow, Sound

_HALF_WIDTH = 32
"""Reach of the low-pass to either side, samples of the lower rate: at 48 kHz it waits for 2 ms of sound."""
_CUTOFF = 0.94
"""-6 dB point over half the lower rate: flat to 6.9 kHz at 16 kHz, 80 dB down from 8.1 kHz."""
_KAISER_BETA = 8.0

_AT_ONCE = 4096
"""Output samples per step: bounds the memory that a long block takes."""

_DRIFT_NS = 500_000
"""Time stamps may stray by this much (rounding) before the windows' time follows them."""
_JUMP_NS = 5_000_000
"""From here on it is not drift: sound is missing, or time went back."""
_LONGEST_FILL_NS = 1_000_000_000
"""A longer gap is a new beginning."""


class SpeechResampler:
    """One stretch of mono sound to `SPEECH_RATE_HZ`; output sample k lies at input instant k/16000 s.

    A linear-phase windowed sinc. Each output sample is one dot product of fixed length, so the result does
    not depend on how the input is cut. (soxr's streams hold back 20 to 115 ms: too much for a live face.)
    """

    def __init__(self, rate_hz: int) -> None:
        """`rate_hz`: rate of the input, 1000 or more."""
        step = Fraction(rate_hz, SPEECH_RATE_HZ)  # input samples per output sample
        self._step = step
        lower = min(1.0, SPEECH_RATE_HZ / rate_hz)
        self._reach = int(np.ceil(_HALF_WIDTH / lower))  # input samples
        offsets = np.arange(1 - self._reach, self._reach + 1)
        phases = np.arange(step.denominator)[:, None] / step.denominator
        distance = (offsets - phases) * lower  # in samples of the lower rate
        window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / _HALF_WIDTH) ** 2, 0, 1)))
        taps = np.sinc(_CUTOFF * distance) * window
        self._taps = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
        self._input = np.zeros(self._reach - 1, np.float32)  # silence before the first sample
        self._first = 1 - self._reach  # input index of _input[0]
        self._made = 0

    def push(self, samples: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "m"]:
        """Takes the next input samples; returns the output samples that they complete."""
        self._input = np.concatenate([self._input, samples])
        end = self._first + len(self._input)
        # Output k needs input up to floor(k * step) + reach.
        ready = -((self._reach - end) * self._step.denominator // self._step.numerator)
        return self._make(ready)

    def finish(self) -> Float32[np.ndarray, "m"]:
        """The rest: every output sample whose instant lies before the end of the input."""
        total = -(-(self._first + len(self._input)) * self._step.denominator // self._step.numerator)
        self._input = np.concatenate([self._input, np.zeros(self._reach, np.float32)])
        return self._make(total)

    def _make(self, until: int) -> Float32[np.ndarray, "m"]:
        """Output samples up to index `until`, exclusive; forgets the input that no later one needs."""
        if until <= self._made:
            return np.zeros(0, np.float32)
        rows = np.lib.stride_tricks.sliding_window_view(self._input, 2 * self._reach)
        parts = []
        for start in range(self._made, until, _AT_ONCE):
            position = np.arange(start, min(start + _AT_ONCE, until), dtype=np.int64) * self._step.numerator
            base, phase = np.divmod(position, self._step.denominator)
            rows_used = rows[base - self._reach + 1 - self._first]
            parts.append(np.einsum("ij,ij->i", rows_used, self._taps[phase]))
        self._made = until
        keep_from = until * self._step.numerator // self._step.denominator - self._reach + 1
        self._input = self._input[keep_from - self._first :]
        self._first = keep_from
        return np.concatenate(parts)


class SpeechWindows:
    """Cuts sound into `AudioWindow`s that follow one another without a gap.

    The same sound gives the same windows bit for bit, however it is cut into blocks. Missing sound of up to a
    second becomes silence; after a longer gap, or when time goes back, windows start anew at the new instant.
    """

    def __init__(self, hop_samples: int = 320) -> None:
        """`hop_samples`: length of a window at 16 kHz; 320 is 20 ms."""
        self._hop = hop_samples
        self._rate_hz = 0
        self._resampler: SpeechResampler | None = None
        self._start_ns = 0  # instant of input sample 0 of this stretch
        self._count = 0  # input samples of this stretch
        self._pending = np.zeros(0, np.float32)
        self._pending_from = 0  # index of _pending[0] among the 16 kHz samples of this stretch

    def push(self, sound: Sound) -> list[AudioWindow]:
        """Takes the next block; returns the windows that it completes."""
        windows: list[AudioWindow] = []
        late_ns = sound.pts_ns - self._end_ns()
        if self._rate_hz == 0 or not -_JUMP_NS < late_ns <= _LONGEST_FILL_NS:
            windows += self.flush()
            self._begin(sound)
        elif late_ns >= _JUMP_NS:
            windows += self._take(np.zeros(round(late_ns * self._rate_hz / 1e9), np.float32))
        elif abs(late_ns) > _DRIFT_NS:
            self._start_ns += late_ns
        if sound.rate_hz != self._rate_hz:
            windows += self._cut(self._finished())
            self._begin(sound)
        return windows + self._take(_mono(sound.samples))

    def flush(self) -> list[AudioWindow]:
        """The last windows, the very last one padded with silence; what is pushed next starts anew."""
        windows = self._cut(self._finished())
        if len(self._pending):
            windows += self._cut(np.zeros(self._hop - len(self._pending), np.float32))
        self._rate_hz, self._resampler = 0, None
        return windows

    def _begin(self, sound: Sound) -> None:
        """A new stretch at `sound`; what is pending lies just before it."""
        self._rate_hz, self._start_ns, self._count = sound.rate_hz, sound.pts_ns, 0
        self._resampler = None if sound.rate_hz == SPEECH_RATE_HZ else SpeechResampler(sound.rate_hz)
        self._pending_from = -len(self._pending)

    def _end_ns(self) -> int:
        """Instant just after the last sample that was pushed."""
        return self._start_ns + round(self._count * 1e9 / self._rate_hz) if self._rate_hz else 0

    def _take(self, mono: Float32[np.ndarray, "n"]) -> list[AudioWindow]:
        self._count += len(mono)
        return self._cut(mono if self._resampler is None else self._resampler.push(mono))

    def _finished(self) -> Float32[np.ndarray, "n"]:
        """What the resampler still holds."""
        return np.zeros(0, np.float32) if self._resampler is None else self._resampler.finish()

    def _cut(self, speech: Float32[np.ndarray, "n"]) -> list[AudioWindow]:
        """Appends 16 kHz samples and takes full windows off the front."""
        self._pending = np.concatenate([self._pending, speech])
        windows = []
        while len(self._pending) >= self._hop:
            pts_ns = self._start_ns + round(self._pending_from * 1e9 / SPEECH_RATE_HZ)
            windows.append(AudioWindow(self._pending[: self._hop], pts_ns))
            self._pending = self._pending[self._hop :]
            self._pending_from += self._hop
        return windows


def _mono(samples: Float32[np.ndarray, "n channels"]) -> Float32[np.ndarray, "n"]:
    """Mean of the channels, summed one by one so that the result does not depend on the block's length."""
    mono = samples[:, 0].copy()
    for channel in range(1, samples.shape[1]):
        mono += samples[:, channel]
    return mono / np.float32(samples.shape[1])
