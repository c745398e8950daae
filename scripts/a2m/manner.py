"""How a phone is said this time: nobody says one twice alike. For targets that vary while the sound is the same."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.signal

from a2m import phones
from a2m.segments import Segment
from models.audio.curves import CURVES, INDEX

_STEP_S = 0.1
_STYLE_S = 2.5
"""How long a way of speaking lasts: a phrase or two."""
_STYLES = ("effort", "share", "spread", "rounding", "width")
_STYLE_SD = np.array([0.12, 0.10, 0.12, 0.10, 0.15])
"""Of logarithms: how far the mouth opens, how much of it is the jaw's, spread, rounding, width of coarticulation."""
_EFFORT_SD, _OWN_SD = 0.10, 0.08
"""Of one phone: the opening of jaw and lips together, and of each."""
_CORNERS_SD, _OTHERS_SD = 0.12, 0.15
_DOMINANCE_SD, _WIDTH_SD = 0.2, 0.1
_SHIFT_S, _SHIFT_SHARE = 0.012, 0.3
"""Standard deviation of a phone's start and end in the articulators; never more than a share of its length."""

_JAW = [INDEX["jawOpen"]]
_LIPS = [INDEX[name] for name in ("lipGap", "mouthLowerDown", "mouthUpperUp")]
_CORNERS = [INDEX[name] for name in ("lipWide", "mouthStretch", "mouthSmile")]
_ROUND = [INDEX[name] for name in ("lipRound", "mouthFunnel", "mouthPucker")]
_OTHERS = [INDEX[name] for name in ("mouthClose", "mouthRollLower", "mouthRollUpper", "mouthPress", "tongue")]


@dataclass(frozen=True, slots=True)
class Manner:
    """Deviation of one phone from the table."""

    target: np.ndarray
    """float64 [15]: factors of its targets."""
    dominance: float = 1.0
    """Factor."""
    fade: float = 1.0
    """Factor of how fast its dominance fades: below 1 it reaches further into its neighbours."""
    start_s: float = 0.0
    """Added to when the articulators start."""
    end_s: float = 0.0

    def moved(self, segment: Segment) -> Segment:
        return replace(segment, start=segment.start + self.start_s, end=segment.end + self.end_s)


_PLAIN = Manner(np.ones(len(CURVES)))
Manners = Callable[[Segment], Manner]


def plain(_: Segment) -> Manner:
    """By the table."""
    return _PLAIN


def varied(rng: np.random.Generator, seconds: float) -> Manners:
    """One speaker's manners over 0..seconds: a style that wanders, and each phone's own deviation.

    Times of silence, and of m, b and p, stay: lips close when they are heard to.
    """
    styles = _wander(rng, round(seconds / _STEP_S) + 1)

    def manner(segment: Segment) -> Manner:
        middle = round((segment.start + segment.end) / 2 / _STEP_S)
        style = dict(zip(_STYLES, styles[np.clip(middle, 0, len(styles) - 1)], strict=True))
        effort = style["effort"] + rng.normal(0, _EFFORT_SD)
        change = np.zeros(len(CURVES))
        change[_JAW] = effort + style["share"] + rng.normal(0, _OWN_SD)
        change[_LIPS] = effort - style["share"] + rng.normal(0, _OWN_SD)
        change[_CORNERS] = style["spread"] + rng.normal(0, _CORNERS_SD)
        change[_ROUND] = style["rounding"] + rng.normal(0, _CORNERS_SD)
        change[_OTHERS] = rng.normal(0, _OTHERS_SD, len(_OTHERS))
        dominance, fade = np.exp(rng.normal(0, [_DOMINANCE_SD, _WIDTH_SD]) + [0, style["width"]])
        most = _SHIFT_SHARE * (segment.end - segment.start)
        shifts = np.clip(rng.normal(0, _SHIFT_S, 2), -most, most)
        if segment.phone == phones.SILENCE or segment.phone in phones.BILABIALS:
            shifts[:] = 0
        return Manner(np.exp(change), float(dominance), float(fade), float(shifts[0]), float(shifts[1]))

    return manner


def _wander(rng: np.random.Generator, count: int) -> np.ndarray:
    """[count, styles]: stationary, forgotten within `_STYLE_S`."""
    keep = np.exp(-_STEP_S / _STYLE_S)
    noise = rng.standard_normal((count, len(_STYLES)))
    noise[1:] *= np.sqrt(1 - keep**2)
    return _STYLE_SD * scipy.signal.lfilter([1], [1, -keep], noise, axis=0)
