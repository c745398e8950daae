"""When a picture is not true any more, and why: causes that last, not moments."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from runtime.truth.comparison import Difference

Cause = Literal["somebody else", "hidden", "turned", "light"]
"""What the other end does not see: somebody else in the picture, something before the face, a head turned further than
a portrait turns, or another light."""
CAUSES: tuple[Cause, ...] = ("somebody else", "hidden", "turned", "light")
"""The one that comes first is told where several hold."""

ENTER_NS, LEAVE_NS = 400_000_000, 1_500_000_000
"""For how long a cause must hold, or not hold, until that counts."""

_HIDDEN = 0.12, 0.17  # part of the face up to which it is not hidden, and from which it is
_TURNED = np.deg2rad(30), np.deg2rad(38)  # away from how the head was held first
_APART = 0.05, 0.08  # eye distances
_GAIN = 0.25, 0.4  # logarithm
_SLOPE = 0.10, 0.15  # logarithm, from the middle of the face to its edge
_NEVER, _ALWAYS = 0.0, 1.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What one frame shows."""

    difference: Difference | None
    """From the drawn face; None where there is none to compare, or it is not known what is usual."""
    turn_rad: float
    """By which the head is turned from how it was held first."""
    others: bool
    """Whether somebody else is in the picture."""


class Verdict:
    """Hysteresis in level and in time, for each cause by itself. Time is that of the frames."""

    def __init__(self) -> None:
        self._since: dict[Cause, int] = {}
        self._held: set[Cause] = set()
        self._before_ns: int | None = None

    @property
    def cause(self) -> Cause | None:
        """Why the picture is not true; None while it is."""
        return next((cause for cause in CAUSES if cause in self._held), None)

    def push(self, sight: Sight, pts_ns: int) -> Cause | None:
        """Judges the next frame; a frame without a difference leaves everything but `others` as it was."""
        for cause, doubt in _doubts(sight).items():
            wants = doubt >= _ALWAYS if cause not in self._held else doubt > _NEVER
            if wants == (cause in self._held):
                self._since.pop(cause, None)
                continue
            since_ns = self._since.setdefault(cause, pts_ns)
            if pts_ns - since_ns >= (ENTER_NS if wants else LEAVE_NS):
                self._held ^= {cause}
                del self._since[cause]
        return self.cause


def _doubts(sight: Sight) -> dict[Cause, float]:
    """By cause: up to 0 it does not hold, from 1 on it does, between it stays as it was."""
    doubts: dict[Cause, float] = {"somebody else": float(sight.others)}
    seen = sight.difference
    if seen is not None:
        doubts["hidden"] = _between(_HIDDEN, seen.hidden)
        doubts["turned"] = max(_between(_TURNED, sight.turn_rad), _between(_APART, seen.apart))
        doubts["light"] = max(_between(_GAIN, abs(seen.gain)), _between(_SLOPE, seen.slope))
    return doubts


def _between(bounds: tuple[float, float], value: float) -> float:
    return (value - bounds[0]) / (bounds[1] - bounds[0])
