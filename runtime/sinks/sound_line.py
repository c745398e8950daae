"""Sound of any kind as one line of 48 kHz stereo samples that keeps to its time stamps."""

from collections import deque
from fractions import Fraction

import av
import numpy as np
from jaxtyping import Bool, Float32

from runtime.sinks.stretch import REACH, Stretch
from runtime.sound import Sound

RATE_HZ = 48_000

_MAX_AHEAD = 60 * RATE_HZ
_MAX_JITTER_NS = 40_000_000  # capture stamps tremble by this much without any sound being lost

_SMOOTH_S = 2.0  # over which the stamps' trembling is averaged
_PULL_S = 10.0  # in which an error is taken back: a clock that is off by 100 ppm is followed 1 ms behind
_MOST_PULL = 0.001  # of the speed; below what can be heard

_AT_ONCE = RATE_HZ // 10
"""Samples that are stretched in one step: bounds the memory that a long block takes."""

_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


class SoundLine:
    """Sound of any kind laid out on one line of 48 kHz stereo samples; where none was heard, silence.

    Positions are counted from the first sample heard. A minute is kept at most: when more is added than read,
    the oldest is lost. With `follow_drift` sound whose own clock runs slower or faster than its stamps (a
    microphone) is stretched until it keeps to them; otherwise its samples stay as they are.
    """

    def __init__(self, *, follow_drift: bool) -> None:
        self.end: int | None = None  # position behind the last sample laid; None before the first
        self._follow_drift = follow_drift
        self._epoch_ns = 0
        self._pieces: deque[tuple[int, Float32[np.ndarray, "2 n"]]] = deque()
        self._resampler: av.AudioResampler | None = None
        self._kind = (0, 0)  # rate and channels of the present run of touching blocks
        self._run_ns = 0
        self._run_samples = 0
        self._stretch = Stretch()
        self._late_s = 0.0  # by how much stamps are behind where their blocks are laid, on average

    def position(self, instant_ns: int) -> int:
        """The sample that lies at an instant of the sound's clock; may be negative."""
        return round(Fraction((instant_ns - self._epoch_ns) * RATE_HZ, 1_000_000_000))

    def add(self, sound: Sound) -> None:
        """Lays down a block where its `pts_ns` says, or right behind the last one if it nearly touches it."""
        if self.end is None:
            self._epoch_ns, self.end = sound.pts_ns, 0
        kind = (sound.rate_hz, sound.samples.shape[1])
        late_ns = sound.pts_ns - self._expected_ns()
        if kind != self._kind or abs(late_ns) > _MAX_JITTER_NS:
            self.finish()
            self._kind, self._run_ns, self._run_samples = kind, sound.pts_ns, 0
            self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE_HZ)
            self._stretch, self._late_s = Stretch(), 0.0
            self.end = self.position(sound.pts_ns)
        elif self._follow_drift:
            share = min(1.0, len(sound.samples) / sound.rate_hz / _SMOOTH_S)
            self._late_s += share * (late_ns * 1e-9 - self._late_s)
        if len(sound.samples):
            self._run_samples += len(sound.samples)
            self._resample(_audio_frame(sound))

    def finish(self) -> None:
        """Lays down what is still held back."""
        if self._run_samples:
            self._resample(None)
            if self._follow_drift:
                self._lay(self._stretch.push(np.zeros((2, REACH), np.float32), 1.0))

    def read(self, start: int, count: int) -> Float32[np.ndarray, "2 {count}"]:
        """`count` samples from a position on, -1..1; what lies before their end is then forgotten."""
        out = np.zeros((2, count), np.float32)
        for at, piece in self._pieces:
            first, last = max(at, start), min(at + piece.shape[1], start + count)
            if first < last:
                out[:, first - start : last - start] = piece[:, first - at : last - at]
        self.forget(start + count)
        return out

    def covers(self, start: int, count: int) -> Bool[np.ndarray, "{count}"]:
        """For each of `count` samples from a position on, whether something was heard there that is still kept."""
        out = np.zeros(count, bool)
        for at, piece in self._pieces:
            out[max(at - start, 0) : max(at + piece.shape[1] - start, 0)] = True
        return out

    def forget(self, before: int) -> None:
        """Drops the blocks that end at a position or before it."""
        while self._pieces and self._pieces[0][0] + self._pieces[0][1].shape[1] <= before:
            self._pieces.popleft()

    def _expected_ns(self) -> int:
        """The instant at which the next block of the present run is laid."""
        counted = Fraction(self._run_samples * 1_000_000_000, max(self._kind[0], 1))
        return self._run_ns + round(counted) + round(self._stretch.added * 1e9 / RATE_HZ)

    def _resample(self, frame: av.AudioFrame | None) -> None:
        assert self._resampler is not None
        for out in self._resampler.resample(frame):
            samples = out.to_ndarray().astype(np.float32, copy=False)
            if not self._follow_drift:
                self._lay(samples)
                continue
            step = 1.0 - min(max(self._late_s / _PULL_S, -_MOST_PULL), _MOST_PULL)
            for first in range(0, samples.shape[1], _AT_ONCE):
                self._lay(self._stretch.push(samples[:, first : first + _AT_ONCE], step))

    def _lay(self, samples: Float32[np.ndarray, "2 n"]) -> None:
        assert self.end is not None
        self._pieces.append((self.end, samples))
        self.end += samples.shape[1]
        while len(self._pieces) > 1 and self.end - self._pieces[0][0] > _MAX_AHEAD:
            self._pieces.popleft()


def _audio_frame(sound: Sound) -> av.AudioFrame:
    """The block for the resampler: one or two channels as stereo, more in their usual layout."""
    samples = sound.samples
    layout = _LAYOUTS.get(samples.shape[1])
    if layout is None:  # an array of microphones has no layout
        samples, layout = samples.mean(axis=1, keepdims=True), "mono"
    if layout == "mono":  # the resampler would make it 3 dB quieter
        samples, layout = np.repeat(samples, 2, axis=1), "stereo"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T, np.float32), "fltp", layout)
    frame.sample_rate = sound.rate_hz
    return frame
