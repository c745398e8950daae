"""Sinks: where pictures (and the sound that goes with them) leave."""

from typing import Protocol, runtime_checkable

from runtime.picture import Picture
from runtime.sound import Sound


@runtime_checkable
class Sink(Protocol):
    """An output. One thread calls it; it may block, and delays only itself."""

    @property
    def name(self) -> str:
        """For the status line and error messages."""
        ...

    @property
    def shows(self) -> bool:
        """Whether it shows pictures; false where sound alone leaves."""
        ...

    def send(self, picture: Picture) -> None:
        """Shows one picture."""
        ...

    def hear(self, sound: Sound) -> None:
        """Takes the next block of sound; outputs without sound ignore it."""
        ...

    def close(self, complete: bool = True) -> None:
        """Completes what was begun and frees the device. May be called twice.

        `complete` is false after a failure: what was made is kept, but must not replace anything.
        """
        ...


@runtime_checkable
class DelayingSink(Sink, Protocol):
    """A sink whose sound leaves as late as pictures do."""

    @property
    def underruns(self) -> int:
        """How often there was no sound when it was due."""
        ...
