"""Sources: what a device or a file gives, as values in time order."""

from collections.abc import Iterator
from typing import Protocol, TypeVar, runtime_checkable

from runtime.answers import Answers

T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class Source(Protocol[T_co]):
    """Frames or sound, until the source ends."""

    @property
    def lost(self) -> int:
        """How many values nobody took in time; 0 for files read as fast as needed."""
        ...

    def __iter__(self) -> Iterator[T_co]:
        """Yields values in time order and blocks while there is none.

        Raises `models.errors.AgentError` when the device fails for good.
        """
        ...

    def close(self) -> None:
        """Frees the device and ends a waiting iterator. May be called twice, from any thread."""
        ...


@runtime_checkable
class DeviceSource(Source[T_co], Protocol[T_co]):
    """A source with a driver behind it, which may hang."""

    @property
    def answers(self) -> Answers:
        """Whether the driver answers."""
        ...
