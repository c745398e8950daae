"""What leaves: pictures that an engine drew. Frozen; the array in it is never written again."""

from dataclasses import dataclass

from models.motion import Motion
from models.portrait import Pixels
from runtime.trail import Trail


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What an engine drew, on its way to the sinks. In a run, `runtime.stage` alone makes them."""

    image: Pixels
    """RGB, or RGBA where the portrait has no background."""
    motion: Motion
    """The motion it shows; `motion.pts_ns` is the instant of capture."""
    due_ns: int
    """The instant at which the picture is to be shown, on the same clock."""
    trail: Trail | None = None
    """How it came about; None offline, and where no driver moved it: it has no age then."""
