"""Sinks: where pictures (and the sound that goes with them) leave."""

from typing import Protocol, runtime_checkable

from runtime.picture import Picture
from runtime.sound import Sound


@runtime_checkable
class Sink(Protocol):
    """An output.

    One thread sends and hears: live a thread of its own (`runtime.outlet`), so that it may block and delays only
    itself; offline the loop's. Another one closes it, after that.

    From `send` and `hear`, an AgentError says in words for the user that the output is lost for good: it is given
    nothing more. Any other exception is a failure of the moment: live, this picture or sound is left out and the next
    one tried; offline, the run ends.
    """

    @property
    def name(self) -> str:
        """For the status line, error messages and figures, such as "virtual-camera". Constant."""
        ...

    @property
    def shows(self) -> bool:
        """Whether it shows pictures; false where sound alone leaves, and a run needs another output. Constant."""
        ...

    def send(self, picture: Picture) -> None:
        """Shows one picture, of the size that the output was opened with, at once or by its `due_ns`.

        Pictures come in the order of `due_ns`; live, those that it had no time for are missing. Its array is not to be
        written to.
        """
        ...

    def hear(self, sound: Sound) -> None:
        """Takes the next block of sound, in order, of any length and rate; outputs without sound ignore it.

        Live, it may come before or after the pictures of its time.
        """
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
