"""Closed lips: whether each m, b and p is heard, and what else is taken for one."""

import random
from dataclasses import dataclass

import numpy as np

from a2m import flite, phones, session, text, timbre
from a2m.listen import Heard, Listener
from a2m.segments import Segment
from a2m.talk import LAG_S, Clip, shut_and_open

_SENTENCES = 12
_SEED = 77


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of phones whose closed-lips logit passes 0."""

    found: float
    in_vowels: float
    in_consonants: float


def of_flite(listener: Listener) -> dict[str, Rates]:
    """Per voice of the engine that training never hears, in sentences full of lips."""
    return {voice: _rates(listener, voice) for voice in flite.VOICES}


def of_clips(clips: list[Clip], said: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Values where lips are seen to be closed in speech, and where they are seen to be open."""
    shut, others = [], []
    for clip, (times, values) in zip(clips, said, strict=True):
        at = np.interp(clip.times - LAG_S, times, values)
        is_shut, is_open = shut_and_open(clip)
        shut.append(at[is_shut])
        others.append(at[is_open])
    return np.concatenate(shut), np.concatenate(others)


def _rates(listener: Listener, voice: str) -> Rates:
    rng, numbers = random.Random(_SEED), np.random.default_rng(_SEED)
    found: dict[str, list[bool]] = {"bilabial": [], "vowel": [], "consonant": []}
    for _ in range(_SENTENCES):
        utterances = (flite.say(text.sentence("en", rng), voice) for _ in iter(int, 1))
        speech = session.clean(utterances, numbers, timbre.NEUTRAL)
        sound = 0.08 * speech.samples + 3e-4 * numbers.standard_normal(len(speech.samples))
        heard = listener.hear(sound, warm=True)
        for segment in speech.segments:
            kind = _kind(segment.phone)
            if kind and segment.start > 0.5 and segment.end < session.SECONDS - 0.2:
                found[kind].append(_passes(heard, segment, margin_s=0.0 if kind == "bilabial" else 0.02))
    return Rates(*(float(np.mean(found[kind])) for kind in ("bilabial", "vowel", "consonant")))


def _kind(phone: str) -> str:
    if phone in phones.BILABIALS:
        return "bilabial"
    if phone in phones.VOWELS:
        return "vowel"
    return "" if phone == phones.SILENCE else "consonant"


def _passes(heard: Heard, segment: Segment, margin_s: float) -> bool:
    within = (heard.times >= segment.start + margin_s) & (heard.times <= segment.end - margin_s)
    return bool((heard.closed[within] > 0).any())
