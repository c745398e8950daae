"""Sound that is not speech: rooms, machines, keys, music, bangs. float32 at 16 kHz, RMS 1."""

import numpy as np
import scipy.fft
import scipy.signal

from models.audio.mel import RATE_HZ


def coloured(count: int, rng: np.random.Generator) -> np.ndarray:
    """White to brown, slowly swelling at times."""
    spectrum = scipy.fft.rfft(rng.standard_normal(count, dtype=np.float32))
    spectrum *= np.arange(1, len(spectrum) + 1, dtype=np.float32) ** np.float32(-rng.uniform(0.0, 1.1))
    out = scipy.fft.irfft(spectrum, count)
    if rng.random() < 0.3:
        out *= _wander(count, rng, 6.0)
    return _unit(out)


def hum(count: int, rng: np.random.Generator) -> np.ndarray:
    """Mains or a fan: harmonics of a steady tone over some noise."""
    base = rng.choice([50.0, 60.0, 100.0, 120.0, rng.uniform(40, 400)])
    return _unit(_harmonics(count, base, rng, int(rng.integers(1, 20))) + 0.1 * rng.random() * coloured(count, rng))


def keyboard(count: int, rng: np.random.Generator) -> np.ndarray:
    """Clicks of keys, clusters of resonances a few milliseconds long."""
    out = np.zeros(count)
    for _ in range(int(count / RATE_HZ * rng.uniform(2, 12)) + 1):
        length = int(rng.uniform(0.004, 0.05) * RATE_HZ)
        at = rng.integers(0, max(count - length, 1))
        click = rng.standard_normal(length) * np.exp(-np.arange(length) / (length * rng.uniform(0.05, 0.3)))
        out[at : at + length] += rng.uniform(0.2, 1.0) * _resonant(click, rng, 300, 6000)[: count - at]
    return _unit(out + 0.003 * rng.standard_normal(count))


def bangs(count: int, rng: np.random.Generator) -> np.ndarray:
    """Doors, cups, steps, claps: a few hits with a low or broad body."""
    out = np.zeros(count)
    for _ in range(int(rng.integers(1, 6))):
        length = int(rng.uniform(0.05, 0.6) * RATE_HZ)
        at = rng.integers(0, max(count - length, 1))
        hit = rng.standard_normal(length) * np.exp(-np.arange(length) / (length * rng.uniform(0.03, 0.25)))
        out[at : at + length] += rng.uniform(0.2, 1.0) * _resonant(hit, rng, 60, 1500)[: count - at]
    return _unit(out + 0.003 * rng.standard_normal(count))


def music(count: int, rng: np.random.Generator) -> np.ndarray:
    """Notes of plucked or bowed harmonics in chords, with drums at times."""
    out = np.zeros(count)
    beat = int(rng.uniform(0.12, 0.6) * RATE_HZ)
    root = rng.uniform(80, 400)
    scale = 2.0 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)
    fade, harmonics = rng.uniform(0.15, 1.5), int(rng.integers(1, 12))
    vibrato = rng.uniform(0, 0.01)
    for at in range(0, count, beat):
        for _ in range(int(rng.integers(0, 4))):
            length = min(int(beat * rng.uniform(0.5, 3)), count - at)
            note = _harmonics(length, root * rng.choice(scale), rng, harmonics, vibrato)
            attack = np.minimum(np.arange(length) / rng.uniform(20, 1500), 1)
            out[at : at + length] += note * attack * np.exp(-np.arange(length) / (fade * RATE_HZ))
    if rng.random() < 0.5:
        out += rng.uniform(0.2, 1.5) * (out.std() + 1e-3) * bangs(count, rng)
    return _unit(out)


def tones(count: int, rng: np.random.Generator) -> np.ndarray:
    """Beeps and sweeps."""
    times = np.arange(count) / RATE_HZ
    start, end = rng.uniform(100, 3000, 2)
    sweep = np.sin(2 * np.pi * (start * times + (end - start) * times**2 / (2 * times[-1])))
    gate = np.repeat(rng.random(count // 1600 + 1) < rng.uniform(0.3, 1.0), 1600)[:count]
    return _unit(sweep * scipy.signal.lfilter([0.02], [1, -0.98], gate) + 1e-3 * rng.standard_normal(count))


KINDS = (coloured, hum, keyboard, bangs, music, tones)


def draw(count: int, rng: np.random.Generator) -> np.ndarray:
    """One kind, or two mixed."""
    kinds = rng.choice(len(KINDS), p=[0.26, 0.1, 0.15, 0.15, 0.28, 0.06], size=2)
    out = KINDS[kinds[0]](count, rng)
    if rng.random() < 0.3:
        out = out + rng.uniform(0.05, 0.7) * KINDS[kinds[1]](count, rng)
    return out


def _harmonics(count: int, base_hz: float, rng: np.random.Generator, number: int, vibrato: float = 0.0) -> np.ndarray:
    times = np.arange(count) / RATE_HZ
    phase = 2 * np.pi * base_hz * (times + vibrato * np.sin(2 * np.pi * 5.5 * times) / (2 * np.pi * 5.5))
    out = np.zeros(count)
    for k in range(1, number + 1):
        if k * base_hz < 7500:
            out += rng.uniform(0, 1) / k ** rng.uniform(0.3, 1.5) * np.sin(k * phase + rng.uniform(0, 6))
    return out


def _resonant(sound: np.ndarray, rng: np.random.Generator, low_hz: float, high_hz: float) -> np.ndarray:
    centre = np.exp(rng.uniform(np.log(low_hz), np.log(high_hz)))
    radius = rng.uniform(0.7, 0.98)
    out = scipy.signal.lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * centre / RATE_HZ), radius**2], sound)
    return out / (np.abs(out).max() + 1e-9)


def _wander(count: int, rng: np.random.Generator, decibels: float) -> np.ndarray:
    points = max(3, count // 8000)
    return np.interp(
        np.arange(count), np.linspace(0, count, points), 10 ** (rng.uniform(-decibels, decibels, points) / 20)
    )


def _unit(sound: np.ndarray) -> np.ndarray:
    return (sound / (np.sqrt(np.mean(sound**2)) + 1e-9)).astype(np.float32)
