"""Monotonic time in nanoseconds, real or made by a test."""

import threading
import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """The only way in which stages learn or wait for the time."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds; the origin is arbitrary."""
        ...

    def wait_until(self, instant_ns: int, stop: threading.Event) -> bool:
        """Blocks until `instant_ns` or until `stop` is set; true if the instant was reached."""
        ...


class MonotonicClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        """Nanoseconds of `time.monotonic_ns`."""
        return time.monotonic_ns()

    def wait_until(self, instant_ns: int, stop: threading.Event) -> bool:
        """Blocks until `instant_ns`; returns false at once when `stop` is set."""
        while (left_ns := instant_ns - self.now_ns()) > 0:
            if stop.wait(left_ns / 1e9):
                return False
        return not stop.is_set()


class FakeClock:
    """Virtual time for tests: waiting jumps to the instant, work takes as long as `advance` says."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        """Virtual nanoseconds."""
        with self._lock:
            return self._now_ns

    def advance(self, delta_ns: int) -> None:
        """Lets `delta_ns` pass."""
        with self._lock:
            self._now_ns += delta_ns

    def wait_until(self, instant_ns: int, stop: threading.Event) -> bool:
        """Jumps to `instant_ns` unless it has passed; false when `stop` is set."""
        if stop.is_set():
            return False
        with self._lock:
            self._now_ns = max(self._now_ns, instant_ns)
        return True
