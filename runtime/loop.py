"""The frame loop: the only owner of "when".

Live, it ticks at the output rate on absolute deadlines, each input and each output on a thread of its own, the newest
value winning everywhere. Offline, it renders every frame in order on one thread, and the result depends on nothing
but the input.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from models.motion import Motion
from runtime.clock import Clock
from runtime.drivers.idle import Idle
from runtime.engines import Engine
from runtime.frame import Picture, Sound
from runtime.lane import Lane
from runtime.metrics import Metrics
from runtime.mix import Mode, mix
from runtime.outlet import Outlet
from runtime.report import LATENESS
from runtime.sinks import Sink

logger = logging.getLogger(__name__)


class Loop:
    """Lanes -> mix -> engine -> sinks. Owns what it is given and closes all of it, whatever happens."""

    def __init__(
        self,
        *,
        mode: Mode,
        lanes: Sequence[Lane[Any]],
        idle: Idle,
        engine: Engine[Any],
        avatar: Any,
        sinks: Sequence[Sink],
        fps: int,
        clock: Clock,
        metrics: Metrics,
        start_ns: int = 0,
    ) -> None:
        """`start_ns`: instant on the clock of the first picture, and of rest; offline time counts from 0."""
        self._mode, self._lanes, self._idle, self._sinks = mode, lanes, idle, sinks
        self._engine, self._avatar = engine, avatar
        self._fps, self._clock, self._metrics, self._start_ns = fps, clock, metrics, start_ns
        self._began_ns = self._ended_ns = 0
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._outlets: list[Outlet] = []
        self.frames = 0
        """Pictures rendered."""
        self.missed = 0
        """Ticks without a picture because the one before took too long."""

    @property
    def dropped(self) -> int:
        """Ticks missed, and pictures that the slowest sink had no time for."""
        return self.missed + max((outlet.replaced for outlet in self._outlets), default=0)

    @property
    def fps_rendered(self) -> float:
        """Pictures per second since the run began."""
        ended_ns = self._ended_ns or self._clock.now_ns()
        return self.frames * 1e9 / max(ended_ns - self._began_ns, 1) if self.frames else 0.0

    def stop(self) -> None:
        """Ends the run after the current frame. From any thread, also a signal handler."""
        self._stop.set()

    def run_offline(self, frames: int, progress: Callable[[int], None]) -> None:
        """Renders `frames` pictures, due at k / fps from 0; `progress` hears how many are done."""
        self._began_ns = self._clock.now_ns()
        with self._closing():
            for k in range(frames):
                if self._stop.is_set():
                    return
                due_ns = round(k * 1e9 / self._fps)
                for lane in self._lanes:
                    lane.advance(due_ns, self._hear)
                picture = self._render(due_ns, Lane.at)
                for sink in self._sinks:
                    with self._metrics.measure(f"sink {sink.name}"):
                        sink.send(picture)
                progress(k + 1)
            for lane in self._lanes:
                if lane.audible:
                    lane.advance(round(frames * 1e9 / self._fps), self._hear)

    def run_live(self) -> None:
        """Renders at the output rate until `stop`, or until an input that drives the face ends."""
        threads = [
            threading.Thread(target=self._read, args=(lane,), name=f"{lane.role} lane", daemon=True)
            for lane in self._lanes
        ]
        self._outlets = [Outlet(sink, self._clock, self._metrics, self._fail) for sink in self._sinks]
        self._began_ns = self._start_ns
        with self._closing(threads):
            for outlet in self._outlets:
                outlet.start()
            for thread in threads:
                thread.start()
            tick = 0
            while not self._stop.is_set() and not self._input_ended():
                late = int((self._clock.now_ns() - self._start_ns) * self._fps // 1_000_000_000) - tick
                if late > 0:
                    self.missed += late
                    tick += late
                due_ns = self._start_ns + round(tick * 1e9 / self._fps)
                if not self._clock.wait_until(due_ns, self._stop):
                    break
                picture = self._render(due_ns, Lane.newest)
                for outlet in self._outlets:
                    outlet.send(picture)
                tick += 1

    def _render(self, due_ns: int, motion_of: Callable[[Lane[Any], int], Motion | None]) -> Picture:
        known = {lane.role: motion_of(lane, due_ns) for lane in self._lanes}
        motion = mix(self._mode, due_ns, self._idle.at(due_ns, self._start_ns), known.get("video"), known.get("audio"))
        with self._metrics.measure("render"):
            image = self._engine.render(self._avatar, motion)
        self._metrics.add(LATENESS, due_ns - motion.pts_ns)
        self.frames += 1
        return Picture(image, motion, due_ns)

    def _input_ended(self) -> bool:
        return any(lane.finished.is_set() for lane in self._lanes if lane.role != "soundtrack")

    def _read(self, lane: Lane[Any]) -> None:
        try:
            while not self._stop.is_set() and lane.step(self._hear):
                pass
        except Exception as error:
            self._fail(error)

    def _hear(self, sound: Sound) -> None:
        for sink in self._outlets or self._sinks:
            sink.hear(sound)

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self._stop.set()

    def _closing(self, threads: Sequence[threading.Thread] = ()) -> ExitStack:
        """Closes sources, their threads, outlets, drivers, sinks, engine in turn; one that fails stops no other."""
        stack = ExitStack()
        stack.callback(self._raise_failure)
        for close in (
            self._engine.close,
            *(sink.close for sink in self._sinks),
            *(lane.close_driver for lane in self._lanes),
            *(outlet.finish for outlet in self._outlets),
            *(thread.join for thread in threads),
            *(lane.close for lane in self._lanes),
            self._end,
        ):
            stack.callback(self._attempt, close)
        return stack

    def _end(self) -> None:
        self._stop.set()
        self._ended_ns = self._clock.now_ns()

    def _attempt(self, close: Callable[[], None]) -> None:
        try:
            close()
        except Exception as error:
            self._fail(error)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
