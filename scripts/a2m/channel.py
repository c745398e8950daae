"""From the mouth to the computer: room, microphone, noise, clipping, codec, level."""

import numpy as np
import scipy.fft
import scipy.signal

from a2m import noises
from a2m.codecs import round_trip
from models.audio.mel import RATE_HZ

_SPEECH_RMS = 0.1


def degrade(speech: np.ndarray, rng: np.random.Generator, others: list[np.ndarray]) -> np.ndarray:
    """A random recording of clean speech; `others` are people who may babble in the background."""
    count = len(speech)
    out = speech * np.float32(_SPEECH_RMS / (np.sqrt(np.mean(speech**2)) + 1e-9))
    if rng.random() < 0.5:
        out = reverberate(out, rng)
    if rng.random() < 0.75:
        out = equalise(out, rng)
    snr_db = rng.uniform(25, 60) if rng.random() < 0.45 else rng.uniform(5, 35)
    out = out + noises.coloured(count, rng) * np.float32(_SPEECH_RMS * 10 ** (-snr_db / 20))
    if rng.random() < 0.25:
        out = out + noises.draw(count, rng) * np.float32(_SPEECH_RMS * 10 ** (-rng.uniform(8, 35) / 20))
    if others and rng.random() < 0.1:
        other = np.resize(others[rng.integers(len(others))], count)
        out = out + other / (other.std() + 1e-9) * np.float32(_SPEECH_RMS * 10 ** (-rng.uniform(12, 30) / 20))
    return finish(out, rng)


def finish(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What every recording goes through at last: level, sometimes clipping and a codec."""
    peak = np.abs(sound).max() + 1e-9
    out = sound / peak * 10 ** (rng.uniform(-36, 0) / 20)
    if rng.random() < 0.15:
        out = np.tanh(out / np.abs(out).max() * rng.uniform(1.5, 8)) * rng.uniform(0.1, 1.0)
    chance = rng.random()
    if chance < 0.1:
        out = round_trip(out.astype(np.float32), "libopus", int(rng.choice([8, 12, 16, 24, 32, 48])) * 1000)
    elif chance < 0.16:
        out = round_trip(out.astype(np.float32), "aac", int(rng.choice([16, 24, 32, 48])) * 1000)
    elif chance < 0.3:
        out = np.round(out * 32767) / 32767
    return out.astype(np.float32)


def reverberate(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exponential noise after the direct sound, 0.08 to 0.6 s long."""
    length = int(rng.uniform(0.08, 0.6) * RATE_HZ)
    tail = rng.standard_normal(length, dtype=np.float32) * np.exp(-6.9 * np.arange(length) / length)
    tail = scipy.signal.lfilter([0.5], [1, -0.5], tail)
    tail *= 10 ** (rng.uniform(-22, 0) / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return scipy.signal.fftconvolve(sound.astype(np.float32), tail.astype(np.float32))[: len(sound)]


def equalise(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A microphone: tilt, three broad peaks, at times a narrow band."""
    spectrum = scipy.fft.rfft(sound)
    hz = scipy.fft.rfftfreq(len(sound), 1 / RATE_HZ).astype(np.float32) + 1
    octaves = np.log2(hz)
    gain_db = rng.uniform(-4, 4) * (octaves - np.log2(1000))
    for _ in range(3):
        width = rng.uniform(0.3, 1.2)
        gain_db += rng.uniform(-8, 8) * np.exp(-0.5 * ((octaves - np.log2(rng.uniform(100, 7000))) / width) ** 2)
    if rng.random() < 0.2:
        gain_db = np.where((hz < rng.uniform(80, 350)) | (hz > rng.uniform(3300, 7000)), -50, gain_db)
    gain = (10 ** (np.clip(gain_db, -60, 20) / 20)).astype(np.float32)
    return scipy.fft.irfft(spectrum * gain, len(sound))
