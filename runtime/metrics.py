"""How long each stage takes and how old a picture is when it leaves."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from statistics import median_low

import numpy as np

from runtime.clock import Clock

_SHARES = (50, 95, 99)
_WINDOW = 4096  # values remembered per stage: memory stays bounded when the agent runs all day


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Mean and percentiles of durations in milliseconds; 0 where nothing was measured."""

    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Metrics:
    """Durations by stage name; the newest 4096 of each are kept. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ns: dict[str, deque[int]] = {}
        self._total_ns: dict[str, int] = {}

    def add(self, stage: str, duration_ns: int) -> None:
        """Records one duration."""
        self.add_all({stage: duration_ns})

    def add_all(self, durations_ns: Mapping[str, int]) -> None:
        """Records durations by stage, which nobody sees but together."""
        with self._lock:
            for stage, duration_ns in durations_ns.items():
                self._ns.setdefault(stage, deque(maxlen=_WINDOW)).append(duration_ns)
                self._total_ns[stage] = self._total_ns.get(stage, 0) + duration_ns

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Records how long the body takes, on the machine's clock; nothing is recorded if it raises."""
        start_ns = time.perf_counter_ns()
        yield
        self.add(stage, time.perf_counter_ns() - start_ns)

    def forget(self) -> None:
        """Forgets all durations; what `total_ns` says of them stays."""
        with self._lock:
            self._ns.clear()

    def stages(self) -> list[str]:
        """Names of what was measured, oldest first."""
        with self._lock:
            return list(self._ns)

    def total_ns(self, stage: str) -> int:
        """Sum of all durations of `stage`, forgotten ones too."""
        with self._lock:
            return self._total_ns.get(stage, 0)

    def recent_median_ns(self, stage: str, count: int) -> int | None:
        """Median of the newest `count` durations of `stage`; None if there are fewer than a tenth of them."""
        with self._lock:
            newest = list(islice(reversed(self._ns.get(stage, ())), count))
        return median_low(newest) if len(newest) * 10 >= count else None

    def percentiles(self, stage: str) -> Percentiles:
        """Of what is remembered of `stage`."""
        return self.together([stage])[stage]

    def together(self, stages: Sequence[str]) -> dict[str, Percentiles]:
        """Of what is remembered of each of `stages` at one instant."""
        with self._lock:
            remembered = {stage: list(self._ns.get(stage, ())) for stage in stages}
        return {stage: _percentiles(values) for stage, values in remembered.items()}


def _percentiles(values_ns: list[int]) -> Percentiles:
    if not values_ns:
        return Percentiles(0.0, 0.0, 0.0, 0.0)
    values = np.array(values_ns)
    figures_ns = (values.mean(), *np.percentile(values, _SHARES))
    return Percentiles(*(round(float(ns) / 1e6, 3) for ns in figures_ns))


class Tempo:
    """How many pictures a run has rendered, and how fast."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_ns = self._ended_ns = 0
        self._recent_ns: deque[int] = deque(maxlen=512)
        self.frames = 0
        """Pictures so far."""

    def begin(self, at_ns: int) -> None:
        """The run begins at an instant of the clock."""
        self._began_ns = at_ns

    def tick(self) -> None:
        """One picture is done."""
        self.frames += 1
        self._recent_ns.append(self._clock.now_ns())

    def end(self) -> None:
        """The run is over: the mean stays."""
        self._ended_ns = self._clock.now_ns()

    @property
    def mean_fps(self) -> float:
        """Pictures per second since the run began."""
        return self.frames * 1e9 / max((self._ended_ns or self._clock.now_ns()) - self._began_ns, 1)

    @property
    def since_picture_s(self) -> float:
        """Seconds since the newest picture was done; 0 before the first."""
        return (self._clock.now_ns() - self._recent_ns[-1]) / 1e9 if self._recent_ns else 0.0

    @property
    def recent_fps(self) -> float:
        """Pictures per second of the last two seconds."""
        now_ns = self._clock.now_ns()
        return sum(now_ns - at_ns < 2_000_000_000 for at_ns in tuple(self._recent_ns)) / 2
