"""The trail of a picture: what the time between capture and output went into, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from models.motion import Motion
from runtime.metrics import Metrics

AGE = "picture age"
"""A metric for each end of the way: age of the captured instant when its picture has left there."""
VIEWERS = "browser"
"""The end at which a viewer of the preview page has a picture; the others are outputs, by name."""

_PATH = "path"
_LOOK_AHEAD = "look-ahead"


@dataclass(frozen=True, slots=True, eq=False)
class Driven:
    """A motion and how its driver came to it. Instants are on the run's clock."""

    motion: Motion
    complete_ns: int
    """When all that it follows from had happened: a frame's capture, the end of a block of sound."""
    taken_ns: int
    """When the driver began with that."""
    driven_ns: int
    """When the motion was there."""
    far: bool = False
    """Whether it came over a network: captured counts as arrived then, and nothing is known of its driver."""


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """How a picture came about that a driver moved. Instants are on the run's clock."""

    driven: Driven
    """The motion that leads it."""
    begun_ns: int
    """When the loop began with the picture."""
    drawn_ns: int
    """When the picture was there."""


class Step(NamedTuple):
    """A part of the way."""

    name: str
    until_ns: int
    """The instant at which the next one begins."""


def note(metrics: Metrics, end: str, trail: Trail, steps: Sequence[Step]) -> None:
    """Records that a picture has left at `end`: how old it was, and each step of its way, which sum up to that.

    `steps` follow on the drawing, in order. Steps called "wait..." and the look-ahead are nobody's work.
    """
    driven = trail.driven
    first_ns = before_ns = driven.motion.pts_ns
    driver = (
        Step(_LOOK_AHEAD, driven.complete_ns),
        Step("wait for driver", driven.taken_ns),
        Step("driver", driven.driven_ns),
    )
    way = (
        *((Step("wait in jitter buffer", driven.driven_ns),) if driven.far else driver),
        Step("wait for tick", trail.begun_ns),
        Step("draw", trail.drawn_ns),
        *steps,
    )
    spent_ns = {}
    for step in way:
        spent_ns[f"{_PATH} {end}/{step.name}"] = step.until_ns - before_ns
        before_ns = step.until_ns
    metrics.add_all(spent_ns | {f"{AGE} {end}": before_ns - first_ns})


@dataclass(frozen=True, slots=True)
class StepTimes:
    """A step of the way, over the newest pictures."""

    name: str
    waits: bool
    """Whether nobody worked on the picture meanwhile."""
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Path:
    """The way from capture to one end. The means of its steps sum up to that of the whole."""

    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    steps: tuple[StepTimes, ...]


def paths(metrics: Metrics) -> dict[str, Path]:
    """The way to every end that pictures have left at: an output's name, or `VIEWERS`."""
    return {
        name.removeprefix(f"{AGE} "): _path(metrics, name.removeprefix(f"{AGE} "))
        for name in metrics.stages()
        if name.startswith(AGE)
    }


def is_of_path(stage: str) -> bool:
    """Whether a metric is a part of a trail."""
    return stage.startswith((f"{_PATH} ", AGE))


def _path(metrics: Metrics, end: str) -> Path:
    age, prefix = f"{AGE} {end}", f"{_PATH} {end}/"
    found = metrics.together([age, *(stage for stage in metrics.stages() if stage.startswith(prefix))])
    whole, steps = found.pop(age), []
    for stage, times in found.items():
        name = stage.removeprefix(prefix)
        if name != _LOOK_AHEAD or times.p99_ms > 0:
            waits = name == _LOOK_AHEAD or name.startswith("wait")
            steps.append(StepTimes(name, waits, times.mean_ms, times.p50_ms, times.p95_ms, times.p99_ms))
    return Path(whole.mean_ms, whole.p50_ms, whole.p95_ms, whole.p99_ms, tuple(steps))
