"""Log-mel frames of speech and their causal normaliser: what the speech network hears.

Both keep their whole state in the object and take a frame at a time, so that live sound and training data pass through
the same code.
"""

import numpy as np
import scipy.fft
from jaxtyping import Float32

from models.audio import kernels

RATE_HZ = 16_000
STEP = 160
"""Samples from one frame to the next: 100 frames per second."""
BANDS = 64
FEATURES = BANDS + 2
"""The bands, the loudness against the speaker's own, and how far the voice stands above the room."""

_WINDOW = 400
_FFT = 512
_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
_FLOOR = 1e-7
"""Added to every band's power: about -85 dB of full scale."""

# Mean spectrum of speech over its level, natural logarithm of power; from the synthetic voices.
_PROFILE = np.array([
    -0.6, 0.4, 0.8, 0.7, 0.6, 0.6, 0.6, 0.5, 0.4, 0.1, -0.3, -0.8, -1.0, -1.5, -2.0, -2.4,
    -2.7, -3.1, -3.3, -3.6, -3.9, -4.1, -4.3, -4.5, -4.7, -4.9, -5.2, -5.3, -5.4, -5.3, -5.3, -5.3,
    -5.3, -5.3, -5.2, -5.1, -5.1, -5.2, -5.4, -5.5, -5.7, -5.8, -5.8, -5.7, -5.6, -5.6, -5.7, -5.9,
    -6.2, -6.4, -6.7, -7.1, -7.5, -7.8, -7.9, -8.0, -8.1, -8.2, -8.3, -8.4, -8.5, -8.7, -8.9, -8.9,
], np.float32)  # fmt: skip


def _filters() -> Float32[np.ndarray, "64 257"]:
    """Triangles, evenly spaced in mel; each row sums to 1."""
    edges_mel = np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), BANDS + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins_hz = np.arange(_FFT // 2 + 1) * RATE_HZ / _FFT
    low, mid, high = (edges_hz[i : i + BANDS, None] for i in range(3))
    rows = np.minimum((bins_hz - low) / (mid - low), (high - bins_hz) / (high - mid)).clip(0.0)
    nearest = np.abs(bins_hz - mid).argmin(1)
    empty = rows.sum(1) < 1e-6  # narrower than a bin
    rows[empty, nearest[empty]] = 1.0
    return (rows / rows.sum(1, keepdims=True)).astype(np.float32)


def _mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


_FILTERS = np.ascontiguousarray(_filters().T)
_HANN = np.hanning(_WINDOW).astype(np.float32)


class LogMel:
    """16 kHz samples -> 100 log-mel frames per second; frame i is complete with sample 160 (i + 1)."""

    def __init__(self) -> None:
        self._history = np.zeros(_WINDOW - STEP, np.float32)

    def push(self, samples: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "frames 64"]:
        """The next frames. The number of samples must be a multiple of `STEP`."""
        sound = np.concatenate([self._history, samples])
        self._history = sound[len(samples) :]
        frames = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::STEP]
        spectrum = scipy.fft.rfft(frames * _HANN, _FFT)
        power = spectrum.real**2 + spectrum.imag**2
        return np.log(power @ _FILTERS + np.float32(_FLOOR))


class Normaliser:
    """Takes the speaker's level and the microphone's colour off log-mel frames, causally.

    It learns from frames within 17 dB of the recent peak: within the first second of speech, then with time constants
    of 3 s (level) and 10 s (colour). Every estimate is bounded, however long it runs.
    """

    def __init__(self) -> None:
        self._state = np.zeros(4 + BANDS, np.float32)
        self._state[2:4] = kernels.QUIETEST

    def push(self, frames: Float32[np.ndarray, "frames 64"]) -> Float32[np.ndarray, "frames 66"]:
        """The next frames, normalised: the bands in -4..2.5, mostly within -1..1."""
        out = np.empty((len(frames), FEATURES), np.float32)
        kernels.normalise(np.ascontiguousarray(frames), _PROFILE, self._state, out)
        return out
