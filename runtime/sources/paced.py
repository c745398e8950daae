"""A file played in real time, as a camera or a microphone would give it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from runtime.clock import Clock
from runtime.frame import Frame
from runtime.sound import Sound
from runtime.sources import Source

T = TypeVar("T", Frame, Sound)

_MOST_LOST_IN_A_ROW = 12
"""Where decoding is slower than the clip, some pictures must still come through."""
_OLD_NS = 1_000_000_000
"""Sound that is so late was meant for a time in which the process slept: a device would have lost it."""


class Paced(Generic[T]):
    """Releases what `source` gives when a device would, stamped on the clock.

    A picture is due at its instant, a block of sound when its last sample would have been recorded.
    """

    def __init__(self, source: Source[T], clock: Clock, start_ns: int) -> None:
        """`start_ns` is the instant on `clock` at which the clip's instant 0 plays."""
        self._source: Source[T] = source
        self._clock = clock
        self._start_ns = start_ns
        self._stop = threading.Event()
        self._lost = 0

    @property
    def lost(self) -> int:
        """How many pictures were left out because the next one was already due, and blocks of sound, a second late."""
        return self._lost

    def __iter__(self) -> Iterator[T]:
        """Yields until the clip ends or `close` is called."""
        lost_in_a_row = 0
        values = iter(self._source)
        value = next(values, None)
        while value is not None:
            successor = next(values, None)  # decoded while there is time
            if self._is_old(value) or (self._is_stale(successor) and lost_in_a_row < _MOST_LOST_IN_A_ROW):
                self._lost += 1
                lost_in_a_row += 1
            else:
                lost_in_a_row = 0
                if not self._clock.wait_until(self._due_ns(value), self._stop):
                    return
                yield replace(value, pts_ns=self._start_ns + value.pts_ns)
            value = successor

    def close(self) -> None:
        """Ends a waiting iterator and closes the source."""
        self._stop.set()
        self._source.close()

    def _is_old(self, value: T) -> bool:
        return isinstance(value, Sound) and self._due_ns(value) < self._clock.now_ns() - _OLD_NS

    def _is_stale(self, successor: T | None) -> bool:
        """True if the picture before `successor` is more than one picture late."""
        return isinstance(successor, Frame) and self._due_ns(successor) <= self._clock.now_ns()

    def _due_ns(self, value: T) -> int:
        return self._start_ns + (value.end_ns if isinstance(value, Sound) else value.pts_ns)
