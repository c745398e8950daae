"""Devices that do not answer: a call into a driver that does not come back is told, since the driver tells nothing."""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from runtime.clock import Clock

_log = logging.getLogger(__name__)

_LIMIT_NS = 1_500_000_000
_WATCH_S = 0.2
_LOOK_NS = 500_000_000  # no look counts for more: a process that slept has not waited


class Answers:
    """The calls into one device. One thread calls; another looks, several times a second, and tells."""

    def __init__(self, what: str, meanwhile: str, clock: Clock) -> None:
        """`what`: the device, as in "camera 0 (Integrated Camera)"; `meanwhile`: what happens until it answers."""
        self.what = what
        self.silent = False
        """Whether it does not answer: a call has lasted for a second and a half."""
        self.count = 0
        """How often it did not answer so far."""
        self._meanwhile, self._clock = meanwhile, clock
        self._call: object | None = None  # the one that has not come back yet
        self._seen: object | None = None  # the same when it was last looked at
        self._looked_ns, self._waited_ns = clock.now_ns(), 0

    def begin(self) -> None:
        """A call begins, and whatever was waited for before has come."""
        self._call = object()

    def end(self) -> None:
        """Nothing is waited for."""
        self._call = None

    @contextmanager
    def asked(self) -> Iterator[None]:
        """The body is a call."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    @property
    def waiting(self) -> bool:
        """Whether a call has not come back yet."""
        return self._call is not None

    def look(self) -> None:
        """Tells once when the device does not answer, and once when it does again. Never blocks."""
        now_ns, call = self._clock.now_ns(), self._call
        since_ns, self._looked_ns = min(now_ns - self._looked_ns, _LOOK_NS), now_ns
        if call is None or call is not self._seen:
            self._seen, self._waited_ns = call, 0
            if self.silent:
                self.silent = False
                _log.warning("%s answers again", self.what)
            return
        self._waited_ns += since_ns
        if self._waited_ns >= _LIMIT_NS and not self.silent:
            self.silent = True
            self.count += 1
            _log.warning("%s does not answer: %s", self.what, self._meanwhile)


@contextmanager
def watched(all_of: Iterable[Answers]) -> Iterator[None]:
    """While the body lasts, a thread of its own looks at them, if there are any; before and afterwards another may."""
    looked_at, over = list(all_of), threading.Event()
    if not looked_at:
        yield
        return

    def watch() -> None:
        while not over.wait(_WATCH_S):
            for answers in looked_at:
                answers.look()

    thread = threading.Thread(target=watch, name="watching devices", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
