"""How a command ends early: by Ctrl-C, SIGTERM or SIGHUP."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from agent.program import ENDING_SIGNALS
from agent.terminal import say

_INSIST_NS = 1_000_000_000  # a second Ctrl-C counts from then on


class Interrupt:
    """What Ctrl-C, SIGTERM and SIGHUP do: end the run cleanly, or, before it starts, end at once or be noted."""

    def __init__(self, at_once: bool) -> None:
        self.asked = False
        """Whether anybody wants the end."""
        self.raised = False
        """Whether a KeyboardInterrupt was raised wherever the body was."""
        self._at_once = at_once
        self._stop: Callable[[], None] | None = None
        self._since_ns = 0

    def stop_with(self, stop: Callable[[], None]) -> None:
        """`stop` ends the run from now on."""
        self._stop = stop
        if self.asked:
            stop()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal."""
        now_ns, again = time.monotonic_ns(), self.asked
        insists = again and now_ns - self._since_ns > _INSIST_NS
        self.asked, self._since_ns = True, now_ns
        if insists or (not again and self._stop is None and self._at_once):
            self.raised = True
            raise KeyboardInterrupt
        if not again and self._stop is not None:
            # Setting an event in a handler can deadlock with the thread that it interrupts.
            threading.Thread(target=self._stop, name="stop", daemon=True).start()


@contextmanager
def interruptible(at_once: bool = False) -> Iterator[Interrupt]:
    """Ctrl-C and SIGTERM end the body cleanly; `at_once`, by a KeyboardInterrupt until it says how to stop it."""
    interrupt = Interrupt(at_once)
    heard = [n for n in ENDING_SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]  # nohup ignores some
    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield interrupt
    except BaseException as error:
        if not interrupt.raised and not isinstance(error, KeyboardInterrupt):
            raise
        say("agent: interrupted")
        raise KeyboardInterrupt from error  # a library that is imported makes an ImportError of it
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
