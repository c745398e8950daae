"""What a measurement puts into a run."""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.frame import Frame
from runtime.sinks import Sink
from runtime.sound import Sound
from runtime.sources import Source


@dataclass(frozen=True, slots=True)
class Probe:
    """Inputs in place of the devices that were named, and an instrument before each output. Nothing by default."""

    camera: Source[Frame] | None = None
    microphone: Source[Sound] | None = None
    instrument: Callable[[Sink], Sink] | None = None
    """What the run sends to in place of an output; passes on what it is sent."""
