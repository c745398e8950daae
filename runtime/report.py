"""What a run was like, in figures."""

from dataclasses import asdict, dataclass
from typing import TypedDict

from runtime.metrics import Metrics


class StageTimes(TypedDict):
    """Milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


class Latency(TypedDict):
    """Milliseconds from capture to the sinks; 0 offline."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of `--report`."""

    engine: str
    backend: str
    mode: str
    realtime: bool
    frames: int
    """Pictures rendered."""
    dropped: int
    """Ticks without a picture, and pictures that the slowest output had no time for."""
    fps_rendered: float
    """Pictures per second of the run's wall time."""
    stages: dict[str, StageTimes]
    latency_ms: Latency
    audio_video_offset_ms: float
    """How much later the picture is than the sound that goes out with it, median."""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


AGE, LATENESS = "picture age", "lateness"
"""Metrics that are no stages: age of the motion when its picture leaves, and when its picture is due."""


def stage_times(metrics: Metrics) -> dict[str, StageTimes]:
    """Percentiles of every stage."""
    return {
        name: StageTimes(p50_ms=p.p50_ms, p95_ms=p.p95_ms, p99_ms=p.p99_ms)
        for name in metrics.stages()
        if name not in (AGE, LATENESS)
        for p in (metrics.percentiles(name),)
    }


def latency(metrics: Metrics) -> Latency:
    """Percentiles of the picture's age."""
    age = metrics.percentiles(AGE)
    return Latency(p50=age.p50_ms, p95=age.p95_ms, p99=age.p99_ms)
