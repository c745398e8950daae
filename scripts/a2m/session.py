"""Session: eight seconds of one microphone, with what the mouth does; the unit that training draws."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.signal

from a2m import channel, noises, phones, targets, timbre
from a2m.segments import Segment, moved
from a2m.sound import Utterance
from a2m.targets import Targets
from a2m.voices import Engines, Speaker
from models.audio.mel import BANDS, FEATURES, RATE_HZ, STEP, LogMel, Normaliser

SECONDS = 8
_SAMPLES = SECONDS * RATE_HZ
_WARM_SHARE = 0.6
MICROPHONES = 3
"""Recordings of the same speech, by different microphones in different rooms."""


@dataclass(frozen=True, slots=True)
class Session:
    features: np.ndarray
    """float16 [800, 66]."""
    curves: np.ndarray
    """float16 [401, 15], 50 per second from instant 0."""
    visemes: np.ndarray
    """uint8 [401]."""
    closed: np.ndarray
    """uint8 [401]: 1 closed lips, 2 another stop or nasal, 0 neither."""
    speech: np.ndarray
    """uint8 [401]."""


@dataclass(frozen=True, slots=True)
class Clean:
    """Speech before the microphone."""

    samples: np.ndarray
    """float32 [n] at 16 kHz."""
    segments: list[Segment]
    targets: Targets


def clean(utterances: Iterator[Utterance], rng: np.random.Generator, voice: timbre.Timbre | None = None) -> Clean:
    """Utterances of one speaker with pauses, over exactly one session; `voice` None: a random one."""
    voice = voice or timbre.draw(rng)
    sound = np.zeros(_SAMPLES, np.float32)
    segments: list[Segment] = []
    at = _lead_in(rng)
    while at < _SAMPLES:
        said, spans = timbre.apply(next(utterances), voice, rng)
        if len(said) < RATE_HZ // 4:
            continue
        if rng.random() < 0.4:
            said = said * _wander(len(said), rng)
        said = said / (np.sqrt(np.mean(said**2)) + 1e-9)
        if not segments and at == 0:  # the session starts in the middle of it
            at = -int(rng.uniform(0, 0.7) * len(said))
        first, last = max(at, 0), min(at + len(said), _SAMPLES)
        sound[first:last] += said[first - at : last - at]
        segments += moved([s for s in spans if s.phone != phones.SILENCE or segments], at / RATE_HZ)
        at += len(said) + int(_pause_s(rng) * RATE_HZ)
    return Clean(sound, segments, targets.make(segments, SECONDS + 0.02, loudness_db(sound)))


def record(speech: Clean, rng: np.random.Generator, others: list[np.ndarray]) -> Session:
    """The session as some microphone hears it."""
    return _session(channel.degrade(speech.samples, rng, others), speech.targets, rng)


def non_speech(rng: np.random.Generator) -> Session:
    """Noises, music or nothing, and a mouth that stays closed."""
    if rng.random() < 0.12:
        sound = np.zeros(_SAMPLES, np.float32)
        if rng.random() < 0.5:
            sound += rng.standard_normal(_SAMPLES).astype(np.float32) * np.float32(10 ** rng.uniform(-5, -3.5))
    else:
        sound = noises.draw(_SAMPLES, rng)
        if rng.random() < 0.3:
            sound = channel.reverberate(sound, rng)
        sound = channel.finish(channel.equalise(sound, rng), rng)
        if rng.random() < 0.3:
            sound[: int(rng.uniform(0, 0.8) * _SAMPLES)] *= np.float32(10 ** rng.uniform(-4, -1))
    return _session(sound, targets.silent(SECONDS + 0.02), rng)


def features(sound: np.ndarray, warm: bool) -> np.ndarray:
    """float32 [frames, 66] of sound at 16 kHz; `warm`: the normaliser has heard it all before."""
    frames = LogMel().push(sound[: len(sound) // STEP * STEP])
    normaliser = Normaliser()
    if warm:
        normaliser.push(frames)
    return normaliser.push(frames)


def loudness_db(sound: np.ndarray) -> np.ndarray:
    """float64 [n], 100 per second: smoothed level against the median of what is not silent."""
    power = np.square(sound[: len(sound) // STEP * STEP]).reshape(-1, STEP).mean(1)
    db = 10 * np.log10(scipy.signal.filtfilt([0.12], [1, -0.88], power).clip(1e-9))
    spoken = db[db > db.max() - 30]
    level = db - np.median(spoken)
    return np.concatenate([level, np.full(4, level[-1])])


def _session(sound: np.ndarray, wanted: Targets, rng: np.random.Generator) -> Session:
    plain = heard(sound, wanted, rng.random() < _WARM_SHARE)
    return replace(plain, features=_masked(plain.features, rng).astype(np.float16))


def heard(sound: np.ndarray, wanted: Targets, warm: bool) -> Session:
    """Features and targets of one session's sound as it is."""
    closed = wanted.closed.astype(np.uint8) + 2 * wanted.confusable.astype(np.uint8)
    return Session(
        features(sound, warm).astype(np.float16),
        wanted.curves[::2].astype(np.float16),
        wanted.visemes[::2].astype(np.uint8),
        closed[::2],
        wanted.speech[::2].astype(np.uint8),
    )


def varied(known: Session, rng: np.random.Generator) -> Session:
    """The same as another speaker into another microphone may have said it: bands moved and coloured, masks."""
    features = known.features.astype(np.float32)
    place = np.clip(np.arange(BANDS) * np.exp(rng.uniform(-0.08, 0.08)) + rng.uniform(-0.5, 0.5), 0, BANDS - 1.001)
    low, part = place.astype(int), (place % 1).astype(np.float32)
    ramp = np.linspace(-1, 1, BANDS, dtype=np.float32)
    colour = rng.uniform(-0.15, 0.15) * ramp + rng.uniform(-0.15, 0.15) * np.cos(rng.uniform(1, 6) * ramp)
    bands = features[:, low] * (1 - part) + features[:, low + 1] * part + colour.astype(np.float32)
    whole = np.concatenate([bands, features[:, BANDS:]], 1)
    return replace(known, features=_masked(whole, rng).astype(np.float16))


def _masked(plain: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Some bands or moments missing, and a little noise."""
    out = plain + rng.normal(0, 0.06, plain.shape).astype(np.float32)
    if rng.random() < 0.3:
        first = rng.integers(0, FEATURES - 12)
        out[:, first : first + rng.integers(2, 9)] = 0
    if rng.random() < 0.3:
        start = rng.integers(0, len(out) - 10)
        out[start : start + rng.integers(2, 7)] = -2
    return out


def _lead_in(rng: np.random.Generator) -> int:
    """Samples of silence before the first utterance; 0 starts in its middle."""
    chance = rng.random()
    if chance < 0.4:
        return 0
    return int((rng.uniform(0.1, 1.0) if chance < 0.85 else rng.uniform(1.0, 3.5)) * RATE_HZ)


def _pause_s(rng: np.random.Generator) -> float:
    return rng.uniform(0.0, 0.4) if rng.random() < 0.7 else rng.uniform(0.5, 2.0)


def _wander(count: int, rng: np.random.Generator) -> np.ndarray:
    points = max(3, count // 6000)
    gain = 10 ** (rng.uniform(-9, 4, points) / 20)
    return np.interp(np.arange(count), np.linspace(0, count, points), gain).astype(np.float32)


def speaker_sessions(
    engines: Engines, speaker: Speaker, count: int, seed: int, others: list[np.ndarray]
) -> Iterator[Session]:
    """So many sessions of one voice, each with another timbre and two microphones; adds its speech to `others`."""
    rng = np.random.default_rng(seed)
    utterances = engines.utterances(speaker, random.Random(seed))
    for _ in range(count):
        speech = clean(utterances, rng)
        for _ in range(MICROPHONES):
            yield record(speech, rng, others)
        others.append(speech.samples)
        del others[:-8]
