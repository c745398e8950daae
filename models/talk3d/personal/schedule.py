"""How long and how fast each stage learns; the defaults are the released code's."""

import math
from dataclasses import dataclass

from models.talk3d.generator import SAMPLES


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps and rates of Adam."""

    frames: int = 5
    """That the generator learns; the authors recommend so many."""
    inversion_steps: int = 600
    inversion_rate: float = 0.01
    tuning_steps: int = 400
    tuning_rate: float = 1e-3
    first_frame_steps: int = 200
    """For the first frame's camera, which begins from nothing."""
    frame_steps: int = 50
    """For each other frame's."""
    frame_rate: float = 0.01
    delta_steps: int = 80_000
    delta_rate: float = 5e-4
    heard_after: int = 20
    """Times through the frames after which SyncNet counts."""
    drawing_steps: int = 1000
    drawing_rate: float = 2e-4
    samples: int = SAMPLES
    """See `generator.SAMPLES`."""
    saved_every: int = 100
    """Steps between two states that are kept."""


def ramped(step: int, steps: int) -> float:
    """Part of the rate: up over the first twentieth, down along a cosine over the last quarter."""
    progress = step / steps
    down = min(1.0, (1 - progress) / 0.25)
    return (0.5 - 0.5 * math.cos(down * math.pi)) * min(1.0, progress / 0.05)


def stepped(times: int) -> float:
    """Part of the rate: two hundredths less after every other time through the frames."""
    return 0.98 ** (times // 2)
