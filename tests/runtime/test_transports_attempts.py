"""How often something may be tried."""

from runtime.clock import FakeClock
from runtime.transports.attempts import Attempts


def test_attempts_are_given_back_over_time() -> None:
    clock = FakeClock()
    attempts = Attempts(clock, burst=2, every_ns=100)
    assert [attempts.take() for _ in range(3)] == [True, True, False]
    clock.advance(100)
    assert [attempts.take() for _ in range(2)] == [True, False]
