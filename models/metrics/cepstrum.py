"""Cepstral coefficients of speech, as SyncNet was taught to hear it."""

import numpy as np
import scipy.fft
from jaxtyping import Float64, Int16

RATE_HZ = 16_000
COUNT = 13
"""Coefficients of a frame; 100 frames a second."""

_WINDOW, _STEP, _FFT, _BANDS, _LIFTER, _EMPHASIS = 400, 160, 512, 26, 22, 0.97


def cepstrum(samples: Int16[np.ndarray, "n"]) -> Float64[np.ndarray, "frames 13"]:
    """Mel-frequency cepstral coefficients of 16 kHz sound; the first is the logarithm of the energy.

    As python_speech_features 0.6 gives them by default: windows of 25 ms without taper, 26 bands from 0 to 8 kHz, the
    last window filled up with silence. `samples` must hold a whole window.
    """
    sound = samples.astype(np.float64)
    sound = np.concatenate([sound[:1], sound[1:] - _EMPHASIS * sound[:-1]])
    count = 1 + -(-(len(sound) - _WINDOW) // _STEP)
    padded = np.pad(sound, (0, (count - 1) * _STEP + _WINDOW - len(sound)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_STEP]
    power = np.abs(np.fft.rfft(frames, _FFT)) ** 2 / _FFT
    bands = np.log(_above_zero(power @ _filters().T))
    found = scipy.fft.dct(bands, type=2, axis=1, norm="ortho")[:, :COUNT]
    found *= 1 + _LIFTER / 2 * np.sin(np.pi * np.arange(COUNT) / _LIFTER)
    found[:, 0] = np.log(_above_zero(power.sum(1)))
    return np.asarray(found)


def _above_zero(values: Float64[np.ndarray, "*s"]) -> Float64[np.ndarray, "*s"]:
    return np.where(values == 0, np.finfo(float).eps, values)


def _filters() -> Float64[np.ndarray, "26 257"]:
    """Triangles, evenly spaced in mel, between whole bins."""
    edges_hz = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE_HZ / 2 / 700), _BANDS + 2) / 2595) - 1)
    edges = np.floor((_FFT + 1) * edges_hz / RATE_HZ)
    bins = np.arange(_FFT // 2 + 1)
    low, mid, high = (edges[i : i + _BANDS, None] for i in range(3))
    up, down = (bins - low) / (mid - low), (high - bins) / (high - mid)
    return np.asarray(np.where((bins >= low) & (bins < mid), up, np.where((bins >= mid) & (bins < high), down, 0.0)))
