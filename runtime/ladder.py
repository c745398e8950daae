"""The quality ladder: what a live run leaves out while the machine has no time for it. Pure: it is told the time."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypedDict

_WINDOW_NS = 2_000_000_000  # what counts as recent
_SETTLING_NS = 500_000_000  # after a change, in which pictures are as late as those before made them
_LEAST_NS = 500_000_000  # of pictures, to tell how long they take
_TIGHT, _AMPLE = 0.85, 0.6  # parts of the time there is that work takes
_SHARE = 0.95  # of recent pictures took no longer

_PATIENCE_NS = 4_000_000_000  # of ample time before a climb
_MOST_PATIENCE_NS = 64_000_000_000  # after climbs that failed
_PROBATION_NS = 30_000_000_000  # a rung that was climbed to and is left sooner was climbed to in vain


@dataclass(frozen=True, slots=True)
class Rung:
    """A quality that a run can have."""

    level: int = 0
    """Of the engine, or the last of one that has fewer."""
    track_every: int = 1
    """Of so many frames of a camera one is looked at, and the motion of the others is predicted."""
    rate_divisor: int = 1
    """Of so many pictures one is drawn."""


RUNGS = (
    Rung(),
    Rung(level=1),
    Rung(level=1, track_every=2),
    Rung(level=2, track_every=2),
    Rung(level=2, track_every=2, rate_divisor=2),
)
"""The best first."""

Quality = Literal["auto", "best", "fast"]
"""Every rung, the first alone, or every one but the first."""


def rungs_of(quality: Quality, live: bool) -> tuple[Rung, ...]:
    """Those that a run may stand on, the best first; one that is not live stays on it."""
    rungs = RUNGS[1:] if quality == "fast" else RUNGS
    return rungs if live and quality != "best" else rungs[:1]


class Standing(TypedDict):
    """Where a run stood, as in its report."""

    rung: int
    """Where it stands; 0 is the best that it may stand on."""
    seconds: list[float]
    """How long it stood on each rung."""
    changes: int
    """From rung to rung."""
    late: int
    """Pictures that were drawn when the next one was due."""


class _Tick(NamedTuple):
    due_ns: int
    share: float
    """Part of its time, from when it was due to when the next is due, after which the picture was drawn."""
    tracked_ns: int
    """How long the tracker has worked in all."""


class Ladder:
    """Goes down before a deadline is missed, or at the first that is; comes up after a while of ample time.

    Every climb that fails doubles the time until the next one to that rung, so that a constant load finds its rung.
    One thread judges; any may look at `rung` and `standing`.
    """

    def __init__(self, fps: int, rungs: Sequence[Rung] = RUNGS, *, tracks: bool) -> None:
        """`tracks`: whether a face is tracked. Of rungs that come to the same without, or with the engine's levels,
        only the first is ever stood on."""
        self._period_ns, self._rungs, self._tracks = 1e9 / fps, tuple(rungs), tracks
        self._index = self._changes = self._late = 0
        self._stood_ns = [0] * len(rungs)
        self._patience_ns = [_PATIENCE_NS] * len(rungs)
        self._recent: deque[_Tick] = deque()
        self._last_ns: int | None = None
        self._since_ns = self._calm_ns = 0  # of the last change; of the last sign of haste
        self._climbed = False  # whether the last change went up

    @property
    def rung(self) -> Rung:
        """The quality of the next picture."""
        return self._rungs[self._index]

    @property
    def standing(self) -> Standing:
        """The figures so far."""
        seconds = [round(ns / 1e9, 3) for ns in self._stood_ns]
        return Standing(rung=self._index, seconds=seconds, changes=self._changes, late=self._late)

    def judge(self, due_ns: int, drawn_ns: int, tracked_ns: int, levels: int) -> None:
        """Chooses the rung of the next picture.

        Args:
            due_ns: when the last one was due, on the run's clock.
            drawn_ns: when it was drawn.
            tracked_ns: how long the face tracker has worked since the run began, of the machine's time.
            levels: of the engine that drew it.
        """
        if self._last_ns is None:
            self._since_ns = self._calm_ns = self._last_ns = due_ns
        self._stood_ns[self._index] += due_ns - self._last_ns
        self._last_ns = due_ns
        share = (drawn_ns - due_ns) / (self._period_ns * self.rung.rate_divisor)
        self._late += share > 1
        self._index = self._neighbour(0, levels)  # another engine may have fewer levels
        if due_ns - self._since_ns >= _SETTLING_NS:
            self._recent.append(_Tick(due_ns, share, tracked_ns))
            self._choose(due_ns, share > 1, levels)

    def _choose(self, due_ns: int, late: bool, levels: int) -> None:
        while due_ns - self._recent[0].due_ns > _WINDOW_NS:
            self._recent.popleft()
        drawing, tracking = self._loads()
        if late or drawing > _TIGHT or tracking > _TIGHT:
            self._calm_ns = due_ns
            self._fall(due_ns, levels)
        elif self._index > 0:
            upper = self._neighbour(-1, levels)
            if self._would_be_tight(upper, drawing, tracking):
                self._calm_ns = due_ns
            elif upper != self._index and due_ns - self._calm_ns >= self._patience_ns[upper]:
                self._move(upper, due_ns, climbed=True)

    def _loads(self) -> tuple[float, float]:
        """Parts of their time that drawing and tracking take lately; 0 until that can be told."""
        first, last = self._recent[0], self._recent[-1]
        elapsed_ns = last.due_ns - first.due_ns
        if elapsed_ns < _LEAST_NS:
            return 0.0, 0.0
        shares = sorted(tick.share for tick in self._recent)
        return shares[int(_SHARE * (len(shares) - 1))], (last.tracked_ns - first.tracked_ns) / elapsed_ns

    def _would_be_tight(self, index: int, drawing: float, tracking: float) -> bool:
        """Whether there is no ample time for another rung, by what it does more often than this one."""
        here, there = self.rung, self._rungs[index]
        drawing *= here.rate_divisor / there.rate_divisor
        tracking *= here.track_every / there.track_every
        return max(drawing, tracking) > _AMPLE

    def _neighbour(self, step: int, levels: int) -> int:
        """The next rung down (1) or up (-1) that makes a difference, the best of those that come to the same.

        This one's like (0), or where there is none further: again the best of them.
        """
        effects = [self._effect(rung, levels) for rung in self._rungs]
        distinct = list(dict.fromkeys(effects))
        wanted = distinct.index(effects[self._index]) + step
        return effects.index(distinct[max(0, min(wanted, len(distinct) - 1))])

    def _effect(self, rung: Rung, levels: int) -> Rung:
        """What a rung comes to with an engine of so many levels, and with a tracker or without."""
        return Rung(min(rung.level, levels - 1), rung.track_every if self._tracks else 1, rung.rate_divisor)

    def _fall(self, now_ns: int, levels: int) -> None:
        lower = self._neighbour(1, levels)
        if lower == self._index:
            return
        if self._climbed:
            in_vain = now_ns - self._since_ns < _PROBATION_NS
            longer = min(2 * self._patience_ns[self._index], _MOST_PATIENCE_NS)
            self._patience_ns[self._index] = longer if in_vain else _PATIENCE_NS
        self._move(lower, now_ns, climbed=False)

    def _move(self, index: int, now_ns: int, *, climbed: bool) -> None:
        self._index, self._climbed = index, climbed
        self._changes += 1
        self._since_ns = self._calm_ns = now_ns
        self._recent.clear()
