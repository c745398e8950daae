"""What a measurement puts into a run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.change import Upload
from runtime.engines import Engine
from runtime.frame import Frame
from runtime.picture import Picture
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
    instrument: Callable[[Picture], Picture] | None = None
    """What each output is given in place of a picture."""


class Instrumented:
    """Sink: another one, before which an instrument stands."""

    def __init__(self, sink: Sink, instrument: Callable[[Picture], Picture]) -> None:
        self.name, self.shows = sink.name, sink.shows
        self._sink, self._instrument = sink, instrument

    def send(self, picture: Picture) -> None:
        """Shows what the instrument makes of it."""
        self._sink.send(self._instrument(picture))

    def hear(self, sound: Sound) -> None:
        """Passes it on."""
        self._sink.hear(sound)

    def close(self, complete: bool = True) -> None:
        """Closes the output."""
        self._sink.close(complete)
