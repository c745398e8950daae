"""What a measurement puts into a run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.change import Upload
from runtime.engines import Engine
from runtime.frame import Frame
from runtime.sinks import Sink
from runtime.sound import Sound
from runtime.sources import Source


@dataclass(frozen=True, slots=True)
class Probe:
    """Inputs, a photo or an engine in place of those that were named, and an instrument before each output.

    Nothing by default.
    """

    camera: Source[Frame] | None = None
    microphone: Source[Sound] | None = None
    portrait: Upload | None = None
    """A photo that is not kept on disk."""
    engine: Engine[Any] | None = None
    """The run closes it."""
    instrument: Callable[[Sink], Sink] | None = None
    """What the run sends to in place of an output; passes on what it is sent."""
