"""Motion of frames that nobody looked at: the face goes on as it went, a little."""

from dataclasses import replace

import numpy as np

from models.motion import Motion

_DAMPING = 0.5  # of the velocity: heads turn back too often for all of it (docs/results.md)
_STALE_NS = 200_000_000  # motions further apart tell no velocity
_BOUNDS = (-1.0, 1.5)  # of coefficients, as a fit has them


class Prediction:
    """Constant velocity, damped, from the last two motions that were seen, over no more than the time between them."""

    def __init__(self) -> None:
        self._before: Motion | None = None
        self._last: Motion | None = None

    def learn(self, motion: Motion) -> None:
        """Takes the next motion that was seen."""
        self._before, self._last = self._last, motion

    def at(self, pts_ns: int) -> Motion | None:
        """The motion at an instant after the last that was seen; None before the first. Pixels stay the last ones'."""
        before, last = self._before, self._last
        if last is None or before is None:
            return None if last is None else last.at(pts_ns)
        apart_ns = last.pts_ns - before.pts_ns
        if not 0 < apart_ns <= _STALE_NS or 0.0 in (before.confidence, last.confidence):
            return last.at(pts_ns)
        ahead = np.float32(_DAMPING * min(max(pts_ns - last.pts_ns, 0) / apart_ns, 1.0))
        surface = last.surface
        if surface is not None and before.surface is not None:
            surface = surface + ahead * (surface - before.surface)
        return replace(
            last,
            pts_ns=pts_ns,
            expression=np.clip(last.expression + ahead * (last.expression - before.expression), *_BOUNDS),
            rotation=last.rotation + ahead * (last.rotation - before.rotation),
            translation=last.translation + ahead * (last.translation - before.translation),
            surface=surface,
        )
