"""Clips of the GRID corpus: their names spell what is said, so their m, b and p can be found."""

import re

import numpy as np

from a2m import phones
from a2m.listen import Heard
from a2m.segments import Segment
from a2m.talk import Clip, area
from a2m.voices import Engines

_WORDS = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: "eh" if letter == "a" else letter.upper() for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(
        zip("z123456789", ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], strict=True)
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
_NAME = re.compile(r"(?:.*_)?([blps][bgrw][abiw][a-z][z1-9][anps])")
_SHORTEST = 2
"""Hops that a phone lasts at least."""
_AROUND_S, _INSIDE_S = 0.04, 0.02


def sentence(name: str) -> str | None:
    """What is said in the clip of that name; None for clips of other origin."""
    match = _NAME.fullmatch(name)
    return " ".join(words[c] for words, c in zip(_WORDS, match[1], strict=True)) if match else None


def closure_area(clips: list[Clip], heard: list[Heard], values: list[np.ndarray]) -> tuple[float, int]:
    """Area under the ROC of `values` for m, b and p against vowels, and how many of those there were."""
    engines = Engines()
    found: dict[bool, list[float]] = {True: [], False: []}
    for clip, said, value in zip(clips, heard, values, strict=True):
        text = sentence(clip.name)
        if text is None:
            continue
        symbols = [s.phone for s in engines.say_by_espeak(text, "en", 150, 50, 50).segments if s.phone]
        for segment in _aligned(symbols, said):
            lips = segment.phone in phones.BILABIALS
            if not lips and segment.phone not in phones.VOWELS:
                continue
            margin = _AROUND_S if lips else -_INSIDE_S
            within = (said.times > segment.start - margin) & (said.times < segment.end + margin)
            if within.any():
                found[lips].append(float(value[within].max()))
    return area(np.array(found[True]), np.array(found[False])), len(found[True])


def _aligned(symbols: list[str], heard: Heard) -> list[Segment]:
    """When each phone is said, by the path through them that the heard visemes make most likely."""
    shifted = heard.visemes - heard.visemes.max(1, keepdims=True)
    likely = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    states = [s for symbol in ["", *symbols, ""] for s in [symbol] * _SHORTEST]
    scores = likely[:, [phones.ROWS[s].viseme for s in states]]
    best, came = np.full(scores.shape, -np.inf), np.zeros(scores.shape, int)
    best[0, 0] = scores[0, 0]
    for t in range(1, len(scores)):
        advanced = np.concatenate([[-np.inf], best[t - 1, :-1]])
        came[t] = advanced > best[t - 1]
        best[t] = np.maximum(best[t - 1], advanced) + scores[t]
    path = [len(states) - 1]
    for t in range(len(scores) - 1, 0, -1):
        path.append(path[-1] - came[t, path[-1]])
    phone_of = np.array(path[::-1]) // _SHORTEST
    hop = heard.times[1] - heard.times[0]
    return [
        Segment(heard.times[at[0]] - hop / 2, heard.times[at[-1]] + hop / 2, symbol)
        for i, symbol in enumerate(symbols, 1)
        for at in [np.flatnonzero(phone_of == i)]
    ]
