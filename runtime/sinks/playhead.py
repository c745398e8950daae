"""A place in a sound line that moves on at any speed near 1."""

import numpy as np
from jaxtyping import Bool, Float32

from runtime.sinks.sound_line import SoundLine
from runtime.sinks.stretch import REACH, interpolate

_FADE = 240
"""Samples over which sound goes to silence and comes back: 5 ms."""


class Playhead:
    """Reads a sound line between its samples. Where the line holds nothing, sound fades to silence and back."""

    def __init__(self, line: SoundLine, at: float) -> None:
        """`at`: the position of the first sample that is read; it fades in."""
        self.at = at
        """Position of the next sample."""
        self.holes = 0
        """How often the line held nothing where it had held something just before."""
        self._line = line
        self._window = np.zeros((2, 0), np.float32)  # softened samples from _start on
        self._start = int(np.floor(at)) - REACH + 1
        self._gain, self._last = 0.0, np.zeros((2, 1), np.float32)

    def take(self, count: int, step: float) -> Float32[np.ndarray, "2 {count}"]:
        """The next samples, one per `step` of the line's."""
        self._reach(int(np.floor(self.at + (count - 1) * step)) + REACH + 1)
        out = interpolate(self._window, self.at - self._start + step * np.arange(count))
        self.at += count * step
        done = int(np.floor(self.at)) - REACH + 1 - self._start
        self._window, self._start = self._window[:, done:], self._start + done
        return out

    def _reach(self, end: int) -> None:
        """Extends the window to a position."""
        first = self._start + self._window.shape[1]
        if end > first:
            present = self._line.covers(first, end - first)
            new = self._soften(self._line.read(first, end - first), present)
            self._window = np.concatenate([self._window, new], axis=1)

    def _soften(
        self, samples: Float32[np.ndarray, "2 n"], present: Bool[np.ndarray, "n"]
    ) -> Float32[np.ndarray, "2 n"]:
        """Samples that begin with a ramp, and end in one that holds the last of them."""
        if self._gain == 1.0 and present.all():
            self._last = samples[:, -1:]
            return samples
        out = samples.copy()
        for run in np.split(np.arange(len(present)), np.flatnonzero(np.diff(present)) + 1):
            here = bool(present[run[0]])
            self.holes += not here and self._gain == 1.0
            ramp = np.arange(1, len(run) + 1) / _FADE * (1 if here else -1)
            gains = np.clip(self._gain + ramp, 0.0, 1.0).astype(np.float32)
            if here:
                self._last = samples[:, run[-1:]]
            out[:, run] = (samples[:, run] if here else self._last) * gains
            self._gain = float(gains[-1])
        return out
