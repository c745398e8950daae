"""A bound on how often something may be tried."""

from runtime.clock import Clock


class Attempts:
    """A bucket that fills slowly."""

    def __init__(self, clock: Clock, burst: int, every_ns: int) -> None:
        """`burst`: how often at once; each `every_ns`, one more is allowed."""
        self._clock, self._burst, self._every_ns = clock, burst, every_ns
        self._full_ns = clock.now_ns()

    def take(self) -> bool:
        """Whether one more is allowed now."""
        now_ns = self._clock.now_ns()
        full_ns = max(self._full_ns, now_ns) + self._every_ns
        if full_ns - now_ns > self._burst * self._every_ns:
            return False
        self._full_ns = full_ns
        return True
