"""Segments -> curves: dominance of neighbouring phones, articulator bandwidth, loudness, and the lips' hard closure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from a2m import manner, phones
from a2m.segments import Segment
from models.audio.curves import CURVES, INDEX

RATE_HZ = 100
_REACH_S = 0.45
_BANDWIDTH_S = {"jawOpen": 0.028, "lipGap": 0.018}
_DEFAULT_BANDWIDTH_S = 0.022
_CLOSING_S, _OPENING_S = 0.060, 0.055
_SHORTEST_CLOSURE_S = 0.04
_GAP_S = 0.02
_REST_S, _CLOSE_REST_S = 0.6, 0.35
"""The mouth stays a little open in a pause this long, then closes within so much more."""


@dataclass(frozen=True, slots=True)
class Targets:
    curves: np.ndarray
    """float32 [n, 15], 100 per second; row i is the instant i / 100 s."""
    visemes: np.ndarray
    """int64 [n], numbers of `phones.VISEMES`."""
    closed: np.ndarray
    """float32 [n]: 1 while m, b or p holds the lips together."""
    confusable: np.ndarray
    """bool [n]: another stop or nasal, which must not be taken for a closure."""
    speech: np.ndarray
    """float32 [n]: 1 while somebody speaks, short pauses included."""


def make(
    segments: Sequence[Segment],
    seconds: float,
    loudness_db: np.ndarray,
    manners: manner.Manners = manner.plain,
) -> Targets:
    """Targets over 0..seconds; `loudness_db` [n]: against the utterance's median, scales jaw and gap.

    `manners` says how each phone deviates from the table, in the order in which they are said.
    """
    count = round(seconds * RATE_HZ)
    times = np.arange(count) / RATE_HZ
    segments = _covered(segments, seconds)
    weighted, weight = np.zeros((count, len(CURVES))), np.full((count, len(CURVES)), 1e-4)
    visemes = np.zeros(count, np.int64)
    open_share, closed = np.ones(count), np.zeros(count, np.float32)
    confusable = np.zeros(count, bool)
    for segment in segments:
        row, how = phones.ROWS[segment.phone], manners(segment)
        reach = slice(*np.searchsorted(times, [segment.start - _REACH_S, segment.end + _REACH_S]))
        inside = slice(*np.searchsorted(times, [segment.start, segment.end]))
        near = times[reach]
        dominance = how.dominance * row.dominance * _dominance(how.moved(segment), near, how.fade)
        weighted[reach] += dominance * (how.target * row.target)
        weight[reach] += dominance
        visemes[inside] = row.viseme
        if segment.phone in phones.BILABIALS:
            start, end = _closure(segment)
            open_share[reach] = np.minimum(open_share[reach], _gate(near, start, end))
            closed[slice(*np.searchsorted(times, [start, end]))] = 1.0
        elif segment.phone in phones.NASALS_AND_STOPS:
            confusable[inside] = True
    curves = weighted / weight
    speaking, rest = _rest(segments, times)
    for name, i in INDEX.items():
        curves[:, i] = gaussian_filter1d(
            curves[:, i], _BANDWIDTH_S.get(name, _DEFAULT_BANDWIDTH_S) * RATE_HZ, mode="nearest"
        )
    louder = np.clip(1 + 0.022 * loudness_db[:count], 0.7, 1.25)
    for name in ("jawOpen", "lipGap"):
        curves[:, INDEX[name]] *= louder * rest
    curves[:, INDEX["lipGap"]] *= open_share
    return Targets(np.clip(curves, 0, 1).astype(np.float32), visemes, closed, confusable & (closed == 0), speaking)


def silent(seconds: float) -> Targets:
    """Nobody speaks: the mouth is closed."""
    n = round(seconds * RATE_HZ)
    zeros = np.zeros(n, np.float32)
    return Targets(np.zeros((n, len(CURVES)), np.float32), np.zeros(n, np.int64), zeros, zeros > 0, zeros)


def _covered(segments: Sequence[Segment], seconds: float) -> list[Segment]:
    """With silence before, after, and wherever nothing sounds."""
    out = [Segment(-5.0, segments[0].start if segments else seconds, phones.SILENCE)]
    for segment in segments:
        if segment.start - out[-1].end > _GAP_S:
            out.append(Segment(out[-1].end, segment.start, phones.SILENCE))
        out.append(segment)
    return [*out, Segment(out[-1].end, seconds + 5.0, phones.SILENCE)]


def _dominance(segment: Segment, times: np.ndarray, faster: float) -> np.ndarray:
    """[n, 15]: how much the segment counts at each instant; without its own dominances."""
    length = segment.end - segment.start
    before, after = np.maximum(0, segment.start - times), np.maximum(0, times - segment.end)
    depth = np.clip(np.minimum(times - segment.start, segment.end - times) / max(0.5 * length, 1e-3), 0, 1)
    long_enough = min(1.0, length / 0.12 if segment.phone == phones.SILENCE else (length / 0.05) ** 0.5)
    fades = faster * phones.FADE
    fade = np.exp(-before[:, None] * fades[:, 0] - after[:, None] * fades[:, 1])
    return fade * ((0.6 + 0.4 * depth) * long_enough)[:, None]


def _closure(segment: Segment) -> tuple[float, float]:
    share = {"m": 1.0, "b": 0.85, "ɓ": 0.85}.get(segment.phone, 0.7)
    end = segment.release or segment.start + share * (segment.end - segment.start)
    return segment.start, max(end, segment.start + _SHORTEST_CLOSURE_S)


def _gate(times: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 while closed, smoothly to 1 on both sides."""
    x = np.clip(np.maximum((start - times) / _CLOSING_S, (times - end) / _OPENING_S), 0, 1)
    return x * x * (3 - 2 * x)


def _rest(segments: Sequence[Segment], times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Who speaks (1 or 0), and by how much the rest mouth is open: 1 near speech, 0 in long silence."""
    speaking, rest = np.zeros(len(times), np.float32), np.zeros(len(times))
    for segment in segments:
        if segment.phone == phones.SILENCE:
            continue
        until = segment.end + _REST_S
        opening = np.clip((times - segment.start + 0.10) / 0.1, 0, 1)
        rest = np.maximum(rest, np.minimum(opening, np.clip(1 - (times - until) / _CLOSE_REST_S, 0, 1)))
        speaking[(times >= segment.start - 0.02) & (times < segment.end + 0.2)] = 1.0
    return speaking, rest * rest * (3 - 2 * rest)
