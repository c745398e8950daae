"""Sound between its samples: longer or shorter by a trifle, without a seam."""

import numpy as np
from jaxtyping import Float32, Float64

REACH = 8
"""Samples to either side that the interpolation between samples takes."""
_PHASES = 256
_KAISER_BETA = 8.0


class Stretch:
    """Makes sound longer or shorter by a trifle that may change at any time; the first sample stays the first."""

    def __init__(self) -> None:
        self.added = 0.0
        """Samples by which the output is longer so far; negative where it is shorter."""
        self._input = np.zeros((2, REACH - 1), np.float32)
        self._at = float(REACH - 1)  # where in the input the next output sample lies

    def push(self, samples: Float32[np.ndarray, "2 n"], step: float) -> Float32[np.ndarray, "2 m"]:
        """Takes the next input; returns the output that it completes, one sample per `step` of the input."""
        self._input = np.concatenate([self._input, samples], axis=1)
        count = max(0, int(np.ceil((self._input.shape[1] - REACH - self._at) / step)))
        out = interpolate(self._input, self._at + step * np.arange(count))
        self.added += count * (1.0 - step)
        self._at += step * count
        done = int(self._at) - REACH + 1
        self._input, self._at = self._input[:, done:], self._at - done
        return out


def interpolate(samples: Float32[np.ndarray, "2 n"], at: Float64[np.ndarray, "m"]) -> Float32[np.ndarray, "2 m"]:
    """The sound at fractional indices of its samples, each from REACH - 1 to below n - REACH: a windowed sinc."""
    whole, between = np.divmod(at, 1.0)
    row, weight = np.divmod(between * _PHASES, 1.0)
    rows, weights = row.astype(np.intp), weight.astype(np.float32)[:, None]
    taps = _TAPS[rows] * (1 - weights) + _TAPS[rows + 1] * weights
    windows = np.lib.stride_tricks.sliding_window_view(samples, 2 * REACH, axis=1)
    return np.einsum("cnk,nk->cn", windows[:, whole.astype(np.intp) - REACH + 1], taps)


def _taps() -> Float32[np.ndarray, "phases_1 taps"]:
    """Weights of the samples around a point that lies 0..1 behind one of them, in steps of 1/_PHASES."""
    distance = np.arange(1 - REACH, REACH + 1) - np.arange(_PHASES + 1)[:, None] / _PHASES
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / REACH) ** 2, 0, 1)))
    taps = np.sinc(distance) * window
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)


_TAPS = _taps()
