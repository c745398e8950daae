"""A bounded queue for sound, the one value of which every part counts."""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Ring(Generic[T]):
    """Holds the newest `capacity` values in order; when full, the oldest is dropped and counted. Thread-safe."""

    def __init__(self, capacity: int) -> None:
        self._condition = threading.Condition()
        self._values: deque[T] = deque()
        self._capacity = capacity
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many values were lost because nobody took them in time."""
        return self._dropped

    def put(self, value: T) -> None:
        """Appends `value`. Never blocks. Ignored once closed."""
        with self._condition:
            if self._closed:
                return
            if len(self._values) == self._capacity:
                self._values.popleft()
                self._dropped += 1
            self._values.append(value)
            self._condition.notify()

    def take(self, timeout_s: float | None = None) -> T | None:
        """Waits for the oldest value and removes it. None when the time is up, or when closed and empty."""
        with self._condition:
            self._condition.wait_for(lambda: bool(self._values) or self._closed, timeout_s)
            return self._values.popleft() if self._values else None

    def close(self) -> None:
        """Wakes whoever waits. Values that are still inside can be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed
