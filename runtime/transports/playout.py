"""Playout: motions that a network delivers late, twice, out of order or not at all -> a motion for every picture.

The sender's clock is never compared with ours. Of every packet, the time from its capture to its arrival is known up to
an unknown constant; the least of the last seconds is a journey without waiting. Motions are shown later than that by a
delay that follows how long newer ones were waited for lately.
"""

from bisect import insort
from collections import deque

import numpy as np
from jaxtyping import Float32

from models.ease import smoothstep
from models.motion import Motion, lerp

LEAST_NS, MOST_NS = 40_000_000, 100_000_000
"""Bounds of the delay."""
PREDICTED_NS = 200_000_000
"""For so long a missing motion is predicted; then confidence falls, and who mixes eases to idle."""
FADE_NS = 300_000_000

_KEPT_NS = 1_000_000_000
_JOURNEYS_NS = 8_000_000_000  # a journey without waiting happens within so long
_WAITS = 100  # packets whose waits decide the delay
_PATIENCE = 0.9  # of which so many should not be felt
_STRETCH = 0.05  # time may run faster or slower by so much while the delay changes
_LOST_NS = 1_000_000_000  # a clock that is off by more is another clock
_STRIKES = 5
_SETTLE_S = 0.06  # a wrong prediction is taken back with this time constant
_DAMPING_S = 0.08  # predicted movement comes to rest with this one
_VELOCITY_NS = 30_000_000  # least time over which a velocity is measured

Values = Float32[np.ndarray, "70"]


class Playout:
    """One sender's motions. One thread; time comes with the calls."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        """Begins anew: what was known is of another clock."""
        self._motions: list[Motion] = []
        self._journeys: deque[tuple[int, int]] = deque(maxlen=512)
        self._waits: deque[int] = deque(maxlen=_WAITS)
        self._lag_ns: float | None = None
        """Our instant of showing minus the sender's of capture."""
        self._shown_ns = 0
        self._strikes = 0
        self._error: Values | None = None
        self._error_ns = 0

    def push(self, motions: tuple[Motion, ...], now_ns: int) -> None:
        """What a packet brought, oldest first, and when. What is too old or known already is left out."""
        if not motions:
            return
        journey_ns = now_ns - motions[-1].pts_ns
        if self._journeys and abs(journey_ns - self._least_ns()) > _LOST_NS:
            self._strikes += 1
            if self._strikes < _STRIKES:
                return
            self._forget()
        self._strikes = 0
        before = self._raw(now_ns) if self._motions and self._lag_ns is not None else None
        newest_ns = self._motions[-1].pts_ns if self._motions else None
        if newest_ns is not None and motions[-1].pts_ns > newest_ns:
            self._waits.append(journey_ns + motions[-1].pts_ns - newest_ns)
        self._journeys.append((now_ns, journey_ns))
        known = {motion.pts_ns for motion in self._motions}
        for motion in motions:
            if motion.pts_ns not in known and (newest_ns is None or motion.pts_ns > newest_ns - _KEPT_NS):
                insort(self._motions, motion, key=lambda each: each.pts_ns)
        while self._motions[-1].pts_ns - self._motions[0].pts_ns > _KEPT_NS:
            self._motions.pop(0)
        if before is not None:
            self._take_back(before, now_ns)

    def at(self, now_ns: int) -> Motion | None:
        """The motion to show now, its `pts_ns` on our clock: when the journey without waiting would have brought it.

        None before the first packet.
        """
        if not self._motions:
            return None
        self._move_lag(now_ns)
        raw = self._raw(now_ns)
        if self._error is not None:
            left = np.float32(np.exp(-(now_ns - self._error_ns) / 1e9 / _SETTLE_S))
            raw = _with(raw, _values(raw) + left * self._error)
        assert self._lag_ns is not None
        late_ns = now_ns - self._lag_ns - self._motions[-1].pts_ns
        faith = 1 - smoothstep(PREDICTED_NS, PREDICTED_NS + FADE_NS, late_ns)
        pts_ns = raw.pts_ns + self._least_ns()
        return Motion(pts_ns, raw.expression, raw.rotation, raw.translation, raw.confidence * faith)

    @property
    def delay_ns(self) -> int:
        """How much later than at once motions are shown, beside the network's own time."""
        return 0 if self._lag_ns is None else round(self._lag_ns - self._least_ns())

    def _least_ns(self) -> int:
        newest_ns = self._journeys[-1][0]
        return min(journey for at_ns, journey in self._journeys if newest_ns - at_ns <= _JOURNEYS_NS)

    def _wanted_ns(self) -> float:
        """Of the lag."""
        least_ns = self._least_ns()
        waits = np.quantile(self._waits, _PATIENCE) - least_ns if self._waits else MOST_NS
        return least_ns + float(np.clip(waits, LEAST_NS, MOST_NS))

    def _move_lag(self, now_ns: int) -> None:
        wanted_ns = self._wanted_ns()
        if self._lag_ns is None:
            self._lag_ns = wanted_ns
        step_ns = _STRETCH * max(0, now_ns - self._shown_ns)
        self._lag_ns += float(np.clip(wanted_ns - self._lag_ns, -step_ns, step_ns))
        self._shown_ns = now_ns

    def _raw(self, now_ns: int) -> Motion:
        """Interpolated or predicted, on the sender's clock."""
        assert self._lag_ns is not None
        pts_ns = round(now_ns - self._lag_ns)
        later = next((i for i, motion in enumerate(self._motions) if motion.pts_ns > pts_ns), None)
        if later is None:
            return self._predicted(pts_ns)
        if later == 0:
            return self._motions[0]
        old, new = self._motions[later - 1], self._motions[later]
        return lerp(old, new, (pts_ns - old.pts_ns) / (new.pts_ns - old.pts_ns))

    def _predicted(self, pts_ns: int) -> Motion:
        """The newest motion, carried on by its velocity for a moment."""
        newest = self._motions[-1]
        before = next((m for m in reversed(self._motions) if newest.pts_ns - m.pts_ns >= _VELOCITY_NS), None)
        if before is None:
            return newest.at(pts_ns)
        late_s = min(pts_ns - newest.pts_ns, PREDICTED_NS) / 1e9
        part = _DAMPING_S * (1 - np.exp(-late_s / _DAMPING_S)) * 1e9 / (newest.pts_ns - before.pts_ns)
        values = _values(newest) + np.float32(part) * (_values(newest) - _values(before))
        values[:64] = np.clip(values[:64], *np.sort([_values(newest)[:64], np.clip(values[:64], -1, 1.5)], axis=0))
        return _with(newest, values).at(pts_ns)

    def _take_back(self, before: Motion, now_ns: int) -> None:
        """What was shown and what is known now differ: the difference goes gradually."""
        error = _values(before) - _values(self._raw(now_ns))
        if self._error is not None:
            error += np.float32(np.exp(-(now_ns - self._error_ns) / 1e9 / _SETTLE_S)) * self._error
        self._error, self._error_ns = error, now_ns


def _values(motion: Motion) -> Values:
    return np.concatenate([motion.expression, motion.rotation, motion.translation])


def _with(motion: Motion, values: Values) -> Motion:
    expression, rotation, translation = np.split(values, [64, 67])
    return Motion(motion.pts_ns, expression, rotation, translation, motion.confidence)
