"""What a run was like, in figures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypedDict

from runtime.ladder import Standing
from runtime.metrics import Metrics
from runtime.trail import AGE, VIEWERS, Path, is_of_path


class StageTimes(TypedDict):
    """Milliseconds."""

    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Latency(TypedDict):
    """Milliseconds from capture to the output where that takes longest. The page's viewers have a path of their own."""

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
    lost: dict[str, int]
    """What inputs gave and nobody took in time, by input; blocks of sound that outputs were too slow for; how often
    virtual microphones had nothing to play."""
    faults: dict[str, int]
    """Failures that the run survived, by stage; stages without any are left out."""
    silent: list[str]
    """Devices and outputs whose drivers do not answer now; after a run, did not at its end."""
    fps_rendered: float
    """Pictures per second of the run's wall time."""
    quality: Standing | None
    """On which rungs of the quality ladder a live run stood; None offline."""
    stages: dict[str, StageTimes]
    """What each piece of work takes."""
    latency_ms: Latency | None
    """None offline, and until an output has a picture that a driver moved."""
    paths: dict[str, Path]
    """To each output, and to the page's viewers ("browser"), what pictures that a driver moved spend their time with,
    work and waiting; none offline."""
    audio_video_offset_ms: float | None
    """How much later pictures are placed than the sound captured with them, median by their time stamps; with a virtual
    microphone, how much later they are shown than it is heard, as measured. None where no output carries sound."""
    camera_fps: float | None
    """Pictures per second that the camera gave lately; None without a camera, with a file, and in the first seconds."""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


LATENESS, OFFSET = "lateness", "audio/video offset"
"""Metrics that are no stages: age of the captured instant when its picture is due, and by how much older pictures are,
when they leave, than sound when it is heard."""
_RECENT = 50  # pictures: two seconds


def stage_times(metrics: Metrics) -> dict[str, StageTimes]:
    """Percentiles of every stage."""
    return {
        name: StageTimes(mean_ms=p.mean_ms, p50_ms=p.p50_ms, p95_ms=p.p95_ms, p99_ms=p.p99_ms)
        for name in metrics.stages()
        if name not in (LATENESS, OFFSET) and not is_of_path(name)
        for p in (metrics.percentiles(name),)
    }


def picture_age_ns(metrics: Metrics, sinks: Sequence[str]) -> int | None:
    """How old pictures were lately when they left through the first of these sinks where that is known."""
    ages = (metrics.recent_median_ns(f"{AGE} {sink}", _RECENT) for sink in sinks)
    return next((age for age in ages if age is not None), None)


def latency(ways: Mapping[str, Path]) -> Latency | None:
    """Percentiles of the picture's age at the output where it is greatest; None where none is known."""
    way = max((way for end, way in ways.items() if end != VIEWERS), key=lambda way: way.p50_ms, default=None)
    return None if way is None else Latency(p50=way.p50_ms, p95=way.p95_ms, p99=way.p99_ms)
