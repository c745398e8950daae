"""A lane: one source, the driver that reads it, and the motion known so far."""

import threading
from collections.abc import Callable, Iterator
from typing import Generic, Literal, TypeVar

from models.errors import AgentError
from models.motion import Motion, lerp
from runtime.answers import Answers
from runtime.clock import Clock, MonotonicClock
from runtime.drivers import Driver
from runtime.faults import Faults
from runtime.frame import Frame
from runtime.metrics import Metrics
from runtime.sound import Sound
from runtime.sources import DeviceSource, Source
from runtime.trail import Driven

Role = Literal["video", "audio", "soundtrack"]
T = TypeVar("T", Frame, Sound)

_PATIENCE_S = 5.0
_SILENT_PATIENCE_S = 0.3  # with a driver that has not answered for long


class Lane(Generic[T]):
    """Pulls values from a source through a driver; a soundtrack lane only passes its sound on."""

    def __init__(
        self,
        role: Role,
        source: Source[T],
        driver: Driver[T] | None,
        metrics: Metrics,
        audible: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """`clock`: the run's; None for the machine's own."""
        self.role = role
        self.audible = audible
        """Whether its sound goes to the sinks."""
        self._finished = threading.Event()
        self._source: Source[T] = source
        self._driver: Driver[T] | None = driver
        self._metrics, self._clock = metrics, clock or MonotonicClock()
        self._values: Iterator[T] = iter(source)
        self._driven: tuple[Driven | None, Driven | None] = (None, None)  # before, newest
        self._read_ns = -1
        self._faults = Faults(f"the {role} driver", "its motion eases out until it works again")
        self._thread: threading.Thread | None = None

    @property
    def newest(self) -> Driven | None:
        """The last motion that the driver gave, whatever its instant; None before the first."""
        return self._driven[1]

    @property
    def lost(self) -> int:
        """Values of the source that nobody took in time."""
        return self._source.lost

    @property
    def faults(self) -> int:
        """How often the driver failed and the run went on."""
        return self._faults.count

    @property
    def answers(self) -> Answers | None:
        """Of the source's driver, where there is one."""
        return self._source.answers if isinstance(self._source, DeviceSource) else None

    def ended(self, before_ns: int) -> bool:
        """Whether the source has ended, its last value before an instant."""
        return self._finished.is_set() and self._read_ns < before_ns

    def step(self, hear: Callable[[Sound], None]) -> bool:
        """Takes one value through the driver; false when the source has ended. Raises what source and driver raise."""
        value = self._take(hear)
        if value is not None:
            self._drive(value)
        return value is not None

    def live_step(self, hear: Callable[[Sound], None]) -> bool:
        """As `step`, but a driver that fails gives no motion, and the mix eases out of what it gave last.

        Raises AgentError if it fails for good, and what the source raises.
        """
        value = self._take(hear)
        if value is None:
            return False
        try:
            self._drive(value)
        except Exception as error:
            self._faults.endured(error, value.pts_ns)
        else:
            self._faults.worked()
        return True

    def _take(self, hear: Callable[[Sound], None]) -> T | None:
        value = next(self._values, None)
        if value is None:
            self._finished.set()
        elif isinstance(value, Sound):
            self._read_ns = value.end_ns
            if self.audible:
                hear(value)
        else:
            self._read_ns = value.pts_ns
        return value

    def _drive(self, value: T) -> None:
        if self._driver is None:
            return
        taken_ns = self._clock.now_ns()
        with self._metrics.measure(f"{self.role} driver"):
            motions = self._driver.push(value)
        for motion in motions:
            if not motion.is_finite:
                raise ArithmeticError("its motion is not a number")
            self._driven = (self.newest, Driven(motion, self._read_ns, taken_ns, self._clock.now_ns()))

    def advance(self, pts_ns: int, hear: Callable[[Sound], None]) -> None:
        """Steps until the motion at `pts_ns` is known (a soundtrack: until it was heard), or the source ends."""
        while not self._finished.is_set():
            newest = self.newest
            known_ns = self._read_ns if self._driver is None else newest.motion.pts_ns if newest else -1
            if known_ns >= pts_ns:
                return
            self.step(hear)

    def at(self, pts_ns: int) -> Motion | None:
        """The motion at an instant between the last two, interpolated; past the newest, the newest."""
        before, newest = (None if driven is None else driven.motion for driven in self._driven)
        if before is None or newest is None or not before.pts_ns <= pts_ns < newest.pts_ns:
            return newest if newest is None or newest.pts_ns <= pts_ns else newest.at(pts_ns)
        weight = (pts_ns - before.pts_ns) / (newest.pts_ns - before.pts_ns)
        return lerp(before, newest, weight).at(pts_ns)

    def start(self, hear: Callable[[Sound], None], fail: Callable[[BaseException], None]) -> None:
        """Steps in a thread of its own until the source ends or is closed."""

        def run() -> None:
            try:
                while self.live_step(hear):
                    pass
            except BaseException as error:  # else the loop would wait for a thread that is gone
                fail(error)

        self._thread = threading.Thread(target=run, name=f"{self.role} lane", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Closes the source, which ends a waiting `step`."""
        self._source.close()

    def join(self) -> None:
        """Waits for the thread, if there is one, and frees the driver. Raises AgentError if it does not come back."""
        if self._thread is not None:
            silent = self.answers is not None and self.answers.silent
            self._thread.join(_SILENT_PATIENCE_S if silent else _PATIENCE_S)
            if self._thread.is_alive():
                raise AgentError(f"the {self.role} input does not answer and was left behind")
        if self._driver is not None:
            self._driver.close()
