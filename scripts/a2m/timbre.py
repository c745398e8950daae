"""Other speakers out of one voice: size of the vocal tract, pitch, pace, breath and loudness."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.signal

from a2m.segments import Segment, moved
from a2m.sound import Utterance
from models.audio.mel import RATE_HZ

_FFT, _HOP = 512, 128
_LIFTER = 30
"""Cepstral coefficients that make the envelope: formants without harmonics."""


@dataclass(frozen=True, slots=True)
class Timbre:
    """One speaker's deviation from the engine's voice."""

    resample: float
    """Above 1: faster, higher, smaller. Engine's own pitch and pace vary apart from it."""
    formants: float
    """Above 1: a shorter vocal tract at the same pitch; 1 leaves the spectrum alone."""
    jitter: float
    """Samples by which the time wanders, so that harmonics are less exact."""
    breath: float
    """Noise that follows the voice's envelope; 0 is none."""


def draw(rng: np.random.Generator) -> Timbre:
    """Adults and children, mostly near the engine's voice."""
    return Timbre(
        resample=float(np.exp(rng.uniform(-0.2, 0.2))),
        formants=float(np.exp(rng.uniform(-0.16, 0.16))) if rng.random() < 0.45 else 1.0,
        jitter=rng.uniform(5, 40) if rng.random() < 0.5 else 0.0,
        breath=rng.uniform(0.05, 0.5) if rng.random() < 0.4 else 0.0,
    )


NEUTRAL = Timbre(1.0, 1.0, 0.0, 0.0)


def apply(utterance: Utterance, timbre: Timbre, rng: np.random.Generator) -> tuple[np.ndarray, Sequence[Segment]]:
    """float32 samples at `RATE_HZ` and the segments in their time."""
    samples, rate_hz = utterance.samples, utterance.rate_hz
    if rate_hz < 30_000:
        samples, rate_hz = scipy.signal.resample_poly(samples, 2, 1).astype(np.float32), 2 * rate_hz
    step = rate_hz / RATE_HZ * timbre.resample
    count = int(len(samples) / step)
    low_pass = scipy.signal.butter(8, min(0.95, 0.95 / step), output="sos")
    samples = scipy.signal.sosfilt(low_pass, samples).astype(np.float32)
    position = np.arange(count) * step
    if timbre.jitter:
        wander = scipy.signal.lfilter([1], [1, -0.97], rng.standard_normal(count // 80 + 2))
        wander *= timbre.jitter / np.abs(wander).max()
        position = position + np.interp(np.arange(count), np.arange(len(wander)) * 80, wander)
    out = np.interp(position, np.arange(len(samples)), samples).astype(np.float32)
    if timbre.formants != 1.0:
        out = warp_formants(out, timbre.formants)
    if timbre.breath:
        out = out + _breath(out, rng) * np.float32(timbre.breath)
    return out, moved(utterance.segments, 0.0, 1 / timbre.resample)


def warp_formants(samples: np.ndarray, factor: float) -> np.ndarray:
    """Moves the spectral envelope by `factor` in frequency; the pitch stays."""
    window = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    padded = np.concatenate([np.zeros(_FFT, np.float32), samples, np.zeros(2 * _FFT, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    spectrum = scipy.fft.rfft(frames * window)
    log = np.log(np.abs(spectrum) + 1e-4)
    cepstrum = scipy.fft.irfft(log)
    cepstrum[:, _LIFTER : _FFT - _LIFTER + 1] = 0
    envelope = scipy.fft.rfft(cepstrum).real
    bins = np.minimum(np.arange(envelope.shape[1]) / factor, envelope.shape[1] - 1.001)
    low = bins.astype(int)
    part = (bins - low).astype(np.float32)
    warped = envelope[:, low] * (1 - part) + envelope[:, low + 1] * part
    frames = scipy.fft.irfft(spectrum * np.exp(np.clip(warped - envelope, -4, 4))) * window
    out = np.zeros(len(padded), np.float32)
    for shift in range(_FFT // _HOP):
        part_frames = frames[shift :: _FFT // _HOP]
        stretch = out[shift * _HOP :][: part_frames.size]
        stretch += part_frames.reshape(-1)[: len(stretch)].astype(np.float32)
    return out[_FFT : _FFT + len(samples)] / np.float32(1.5)


def _breath(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    envelope = np.abs(scipy.signal.lfilter([0.02], [1, -0.98], np.abs(samples)))
    noise = rng.standard_normal(len(samples))
    noise -= scipy.signal.lfilter([0.3], [1, -0.7], noise)
    return (noise * envelope).astype(np.float32)
