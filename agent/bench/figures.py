"""What `agent bench latency` found."""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float64

from runtime.trail import Path, StepTimes

_SHOWN_MS = 0.05  # less is 0.0 in the table


@dataclass(frozen=True, slots=True)
class Spread:
    """Of milliseconds."""

    mean: float
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values_ms: Float64[np.ndarray, "n"]) -> "Spread":
        """Of at least one value."""
        return cls(*(round(float(v), 3) for v in (values_ms.mean(), *np.percentile(values_ms, (50, 95, 99)))))


@dataclass(frozen=True, slots=True)
class Steps:
    """What was found without codes. Milliseconds, medians."""

    asked: int
    """Steps that were made."""
    found: int
    """Steps after which the picture changed."""
    response_ms: float
    """From the step to the picture that has gone half of the way."""
    own_ms: float
    """The same without any waiting or work: what filters and networks need of the input's own time."""

    @property
    def rest_ms(self) -> float:
        """What it took to get from the camera or microphone to the reader."""
        return self.response_ms - self.own_ms


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything, for the terminal and for JSON."""

    mode: str
    output: str
    size: str
    fps: int
    pictures: int
    """With codes, that were read."""
    dropped: int
    """Meanwhile: ticks without a picture, and pictures that an output was too slow for."""
    rung: int
    """Of the quality ladder, at the end of that; 0 is the best that the run may stand on."""
    load: tuple[float, float, float]
    """Of the machine, over the last 1, 5 and 15 minutes."""
    glass_to_glass_ms: Spread
    """From the instant of the frame, or of the sound, to the reader."""
    path: Path
    """The run's own account of the way to this output."""
    steps: Steps

    @property
    def unexplained_percent(self) -> float:
        """What the sum of the stages is short of the mean from glass to glass."""
        return 100 * (1 - self.path.mean_ms / self.glass_to_glass_ms.mean)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self) | {"sum_of_stages_ms": self.path.mean_ms, "unexplained_percent": self.unexplained_percent}

    def __str__(self) -> str:
        spread, steps = self.glass_to_glass_ms, self.steps
        origin = "the sound's instant" if self.mode == "audio" else "the frame's instant"
        lines = [
            f"--mode {self.mode} --output {self.output}, {self.size} at {self.fps} fps: {self.pictures} codes read, "
            f"{self.dropped} pictures dropped, quality rung {self.rung}, load {self.load[0]:.1f}",
            "",
            f"{'ms':24s}{'mean':>9s}{'median':>9s}{'95 %':>9s}{'99 %':>9s}",
            *(_row(step.name, *times) for step in self.path.steps if max(times := _times(step)) >= _SHOWN_MS),
            _row("sum of the stages", *_times(self.path)),
            _row("glass to glass", spread.mean, spread.p50, spread.p95, spread.p99),
            "",
            f"glass to glass: from {origin} to the reader; "
            f"the stages sum up to all but {self.unexplained_percent:+.1f} % of it",
        ]
        if steps.found:
            own = f", of which filters and networks need {steps.own_ms:.0f}: {steps.rest_ms:.0f} from glass to glass"
            lines.append(
                f"without codes: {steps.found} of {steps.asked} steps seen, after {steps.response_ms:.0f} ms (median)"
                f"{own if steps.own_ms >= 0.5 else ''}"
            )
        else:
            lines.append(f"without codes: none of {steps.asked} steps was seen")
        return "\n".join(lines)


def _times(way: Path | StepTimes) -> tuple[float, float, float, float]:
    return way.mean_ms, way.p50_ms, way.p95_ms, way.p99_ms


def _row(name: str, *values: float) -> str:
    return f"{name:24s}" + "".join(f"{value:9.1f}" for value in values)
