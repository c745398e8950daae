"""A slot of one between two threads: the newest value wins, and what it replaced is counted."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """Holds at most one value. Thread-safe."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = self._nudged = False
        self._replaced = 0

    @property
    def replaced(self) -> int:
        """How many values were replaced before anyone took them."""
        return self._replaced

    def put(self, value: T) -> None:
        """Stores `value` in place of one that nobody took. Never blocks. Ignored once closed."""
        with self._condition:
            if self._closed:
                return
            if self._value is not None:
                self._replaced += 1
            self._value = value
            self._condition.notify()

    def take(self, timeout_s: float | None = None) -> T | None:
        """Waits for a value and removes it. None when the time is up, after a `nudge`, or when closed and empty."""
        with self._condition:
            self._condition.wait_for(lambda: self._value is not None or self._closed or self._nudged, timeout_s)
            value, self._value, self._nudged = self._value, None, False
            return value

    def nudge(self) -> None:
        """Lets whoever waits, or the next who would, go on without a value."""
        with self._condition:
            self._nudged = True
            self._condition.notify()

    def close(self) -> None:
        """Wakes whoever waits. A value that is still inside can be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed
