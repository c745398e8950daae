"""How long the stages of `agent personalise` take: before they begin, and while they run."""

import time
from collections.abc import Callable, Mapping, Sequence

from models.talk3d.personal.stage import Stage

Say = Callable[[str], None]
PartBar = Callable[[str, int, int], None]
"""Hears which part of the work is done, how much of it, and of how much; whatever it raises ends the work."""

_SURE_STEPS = 3  # of a stage, until it is said how long it takes


def numbered(part: str, parts: Sequence[str]) -> str:
    """A part with its number."""
    return f"{parts.index(part) + 1} of {len(parts)}: {part}"


def expected(costs: Mapping[str, float], picture_s: float) -> str:
    """What stages take that cost so many pictures, as a phrase."""
    each = ", ".join(f"{name} {_time(cost * picture_s)}" for name, cost in costs.items())
    return f"about {_time(sum(costs.values()) * picture_s)} ({each})"


class Pace:
    """Tells how far the stages are, and, after a stage's first steps, how long they take."""

    def __init__(self, costs: Mapping[str, float], parts: Sequence[str], say: Say, bar: PartBar) -> None:
        """`costs`: of each stage, in order; `parts`: all of the work, stages and others."""
        self._costs, self._parts, self._say, self._bar = costs, parts, say, bar
        self._stage = ""
        self._begun_s = 0.0
        self._first = 0

    def __call__(self, stage: Stage, done: int, loss: float) -> None:
        """See `stage.Told`."""
        now_s = time.monotonic()
        if stage.name != self._stage:
            self._stage, self._begun_s, self._first = stage.name, now_s, done
        names = list(self._costs)
        each = self._costs[stage.name] / stage.steps
        before = sum(self._costs[name] for name in names[: names.index(stage.name)])
        total = sum(self._costs.values())
        if done == self._first + _SURE_STEPS:
            step_s = (now_s - self._begun_s) / _SURE_STEPS
            rest_s = (total - before - each * done) / each * step_s
            self._say(
                f"{stage.name}: {stage.steps - done} steps to go, about {_time((stage.steps - done) * step_s)}; to the "
                f"end about {_time(rest_s)}. Ctrl-C leaves off where the same command goes on"
            )
        if done == stage.steps:
            self._say(f"{stage.name}: done, last loss {loss:.4f}")
        self._bar(numbered(stage.name, self._parts), done, stage.steps)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
