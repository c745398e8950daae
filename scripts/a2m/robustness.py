"""Tests on sound that is not somebody talking into a good microphone: noises, levels, codecs, odd chunks, time."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from a2m import noises
from a2m.codecs import round_trip
from a2m.listen import Listener
from models.audio.mel import RATE_HZ
from models.audio.speech_mouth import HOP, SpeechToMouth

_SECONDS = 8
_SETTLED = 25
_COUNT = _SECONDS * RATE_HZ

Maker = Callable[[np.random.Generator], np.ndarray]


def _noise(slope: float, level_db: float) -> Maker:
    def make(rng: np.random.Generator) -> np.ndarray:
        spectrum = np.fft.rfft(rng.standard_normal(_COUNT))
        sound = np.fft.irfft(spectrum * np.arange(1, len(spectrum) + 1) ** -slope, _COUNT)
        return sound / sound.std() * 10 ** (level_db / 20)

    return make


def _at(maker: Callable[[int, np.random.Generator], np.ndarray], level_db: float) -> Maker:
    return lambda rng: maker(_COUNT, rng) * 10 ** (level_db / 20)


NON_SPEECH: dict[str, Maker] = {
    "digital zeros": lambda rng: np.zeros(_COUNT),
    "silence (16 bit dither)": lambda rng: np.round(rng.standard_normal(_COUNT)) / 32768,
    "white noise -50 dBFS": _noise(0.0, -50),
    "white noise -30 dBFS": _noise(0.0, -30),
    "pink noise -50 dBFS": _noise(0.5, -50),
    "pink noise -30 dBFS": _noise(0.5, -30),
    "hum -35 dBFS": _at(noises.hum, -35),
    "keyboard -30 dBFS": _at(noises.keyboard, -30),
    "music -20 dBFS": _at(noises.music, -20),
    "bangs -25 dBFS": _at(noises.bangs, -25),
}


def non_speech(listener: Listener) -> dict[str, tuple[float, float]]:
    """Mean and greatest lip gap after half a second, of five sounds of every kind."""
    out = {}
    for name, make in NON_SPEECH.items():
        gaps = [listener.hear(make(np.random.default_rng(seed)))["lipGap"][_SETTLED:] for seed in range(5)]
        out[name] = float(np.mean(gaps)), float(np.max(gaps))
    return out


def changes(listener: Listener, sounds: list[np.ndarray]) -> dict[str, float]:
    """RMS by which all curves change when sounds get louder, quieter, or pass a codec."""
    disturb: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "20 dB quieter": lambda x: x * 0.1,
        "20 dB louder, clipped": lambda x: np.clip(x * 10, -1, 1),
        "Opus 16 kbit/s": lambda x: round_trip(x, "libopus", 16_000),
        "AAC 32 kbit/s": lambda x: round_trip(x, "aac", 32_000),
    }
    plain = [listener.hear(x).curves for x in sounds]
    return {
        name: float(np.sqrt(np.mean([np.mean((listener.hear(change(x)).curves - p) ** 2)
                                     for x, p in zip(sounds, plain, strict=True)])))
        for name, change in disturb.items()
    }  # fmt: skip


def chunks(weights: Path, sound: np.ndarray, seed: int = 0) -> float:
    """Greatest difference between one push and pushes of 1 to 4000 samples."""
    rng = np.random.default_rng(seed)
    mouth = SpeechToMouth(weights=weights)
    whole = np.stack([frame.curves for frame in mouth.push(sound)])
    mouth.reset()
    cut, at = [], 0
    while at < len(sound):
        size = int(rng.integers(1, 4001))
        cut += [frame.curves for frame in mouth.push(sound[at : at + size])]
        at += size
    return float(np.abs(np.stack(cut) - whole).max())


def seconds_per_hop(weights: Path, sound: np.ndarray) -> np.ndarray:
    """What every hop of a sound took, one thread."""
    mouth = SpeechToMouth(weights=weights)
    spent = []
    for at in range(0, len(sound) - HOP + 1, HOP):
        start = time.perf_counter()
        mouth.push(sound[at : at + HOP])
        spent.append(time.perf_counter() - start)
    return np.array(spent[10:])


def drift(weights: Path, sound: np.ndarray, minutes: float) -> float:
    """Greatest difference of the curves between a sound after one minute of it and after so many more."""
    sound = sound[: len(sound) // HOP * HOP]
    mouth = SpeechToMouth(weights=weights)
    for _ in range(60 * RATE_HZ // len(sound)):
        mouth.push(sound)
    early = np.stack([frame.curves for frame in mouth.push(sound)])
    for _ in range(round(minutes * 60 * RATE_HZ / len(sound))):
        late = mouth.push(sound)
    return float(np.abs(np.stack([frame.curves for frame in late]) - early).max())
