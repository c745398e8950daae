"""The frame loop: the only owner of "when".

Live, it ticks at the output rate on absolute deadlines, each input and each output on a thread of its own, the newest
value winning everywhere. Offline, it renders every frame in order on one thread, and the result depends on nothing
but the input.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from models.motion import Motion
from runtime.clock import Clock
from runtime.closing import Ending
from runtime.drivers.idle import Idle
from runtime.engines import Engine
from runtime.faults import in_words
from runtime.ladder import Ladder
from runtime.lane import Lane, Role
from runtime.metrics import Metrics, Tempo
from runtime.mix import Mode, mix
from runtime.outlet import Outlet
from runtime.picture import Picture
from runtime.report import LATENESS
from runtime.sinks import Sink
from runtime.sound import Sound
from runtime.stage import Over, Stage
from runtime.torso import TorsoFollow
from runtime.trail import Driven, Trail

_log = logging.getLogger(__name__)

_CUT_SHORT_NS = 1_000_000_000  # an input that ends so much before its announced end ends an offline run


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
        ladder: Ladder,
        start_ns: int = 0,
        over: Over | None = None,
    ) -> None:
        """`ladder`: of a live run's quality; offline its first rung counts. `start_ns`: instant on the clock of the
        first picture, and of rest; offline time counts from 0. `over`: as in `Stage`."""
        self._mode, self._lanes, self._idle, self._sinks = mode, lanes, idle, sinks
        self._stage, self._torso = Stage(engine, avatar, over), TorsoFollow()
        self._fps, self._clock, self._metrics, self._start_ns = fps, clock, metrics, start_ns
        self._ladder = ladder
        self._stop, self._ending, self._begun = threading.Event(), Ending(), False
        self._outlets: list[Outlet] = []
        self.tempo = Tempo(clock)
        """Pictures rendered, and how fast."""
        self.missed = 0
        """Ticks without a picture because the one before took too long."""

    @property
    def dropped(self) -> int:
        """Ticks missed, and pictures that the slowest sink had no time for."""
        return self.missed + max((outlet.replaced for outlet in self._outlets), default=0)

    @property
    def lost(self) -> dict[str, int]:
        """What inputs gave and nobody used, by lane, and blocks of sound that outputs had no time for."""
        sound = sum(outlet.sounds_lost for outlet in self._outlets)
        return {lane.role: lane.lost for lane in self._lanes} | {"sound out": sound}

    @property
    def faults(self) -> dict[str, int]:
        """Failures that the run survived, by stage; stages without any are left out."""
        found = {f"{lane.role} driver": lane.faults for lane in self._lanes} | {"render": self._stage.faults}
        found |= {f"{lane.role} input": lane.answers.count for lane in self._lanes if lane.answers is not None}
        found |= {f"sink {outlet.sink.name}": outlet.faults for outlet in self._outlets}
        return {stage: count for stage, count in found.items() if count}

    @property
    def silent(self) -> list[str]:
        """Devices and outputs whose drivers do not answer now."""
        asked = [lane.answers for lane in self._lanes] + [outlet.answers for outlet in self._outlets]
        return [answers.what for answers in asked if answers is not None and answers.silent]

    def swap(self, engine: Engine[Any], avatar: Any, softly: bool = False) -> None:
        """Draws another avatar, of this or another engine, from the next picture on. Any thread; see `Stage.swap`."""
        self._stage.swap(engine, avatar, softly)

    def close(self) -> None:
        """Frees what a run that never began was given; nothing after one that did."""
        if not self._begun:
            with self._closing():
                pass

    def stop(self) -> None:
        """Ends the run after the current frame. From any thread; not from a signal handler, where it could deadlock."""
        self._stop.set()

    def run_offline(self, frames: int, progress: Callable[[int], None]) -> None:
        """Renders `frames` pictures, due at k / fps from 0; `progress` hears how many are done."""
        self.tempo.begin(self._clock.now_ns())
        with self._closing():
            for k in range(frames):
                due_ns = round(k * 1e9 / self._fps)
                for lane in self._lanes:
                    lane.advance(due_ns, self._hear)
                if self._stop.is_set() or self._input_ended(due_ns - _CUT_SHORT_NS):
                    return
                known = {lane.role: lane.at(due_ns) for lane in self._lanes}
                picture = self._render(due_ns, known, self._stage.render)
                for sink in self._sinks:
                    with self._metrics.measure(f"sink {sink.name}"):
                        sink.send(picture)
                progress(k + 1)
            for lane in self._lanes:
                if lane.audible:
                    lane.advance(round(frames * 1e9 / self._fps), self._hear)

    def run_live(self) -> None:
        """Renders at the output rate until `stop`, or until an input that drives the face ends.

        Drivers, drawing and outputs that fail do not end it, as `Lane.live_step`, `Stage.render_live` and `Outlet` say.
        An output that has failed for good raises at the end, or ends the run if no other shows pictures.
        """
        self._outlets = [Outlet(sink, self._clock, self._metrics, self._do_without) for sink in self._sinks]
        self.tempo.begin(self._start_ns)
        with self._closing():
            for outlet in self._outlets:
                outlet.start()
            for lane in self._lanes:
                lane.start(self._hear, self._fail)
            tick = 0
            while not self._stop.is_set() and not self._input_ended(self._clock.now_ns()):
                step = self._ladder.rung.rate_divisor
                late = int((self._clock.now_ns() - self._start_ns) * self._fps // 1_000_000_000) - tick
                if late >= step:
                    self.missed += late // step
                    tick += late // step * step
                due_ns = self._start_ns + round(tick * 1e9 / self._fps)
                if not self._clock.wait_until(due_ns, self._stop):
                    break
                driven = {lane.role: newest for lane in self._lanes if (newest := lane.newest) is not None}
                begun_ns = self._clock.now_ns()
                motions = {role: newest.motion for role, newest in driven.items()}
                drawn = self._render(due_ns, motions, self._stage.render_live)
                picture = self._trailed(drawn, begun_ns, driven.values())
                for outlet in self._outlets:
                    outlet.send(picture)
                tracked_ns = self._metrics.total_ns("video driver")
                self._ladder.judge(due_ns, self._clock.now_ns(), tracked_ns, self._stage.levels)
                tick += step

    def _render(
        self, due_ns: int, driven: Mapping[Role, Motion | None], draw: Callable[[Motion, int, int], Picture]
    ) -> Picture:
        known = {role: self._stage.eased(motion) for role, motion in driven.items()}
        idle = self._idle.at(due_ns, self._start_ns)
        mixed = mix(self._mode, due_ns, idle, known.get("video"), known.get("audio"))
        motion = self._torso(mixed, due_ns)
        with self._metrics.measure("render"):
            picture = draw(motion, due_ns, self._ladder.rung.level)
        if picture.motion.pts_ns != due_ns or not self._outlets:  # live, else nobody moved it: it has no age
            self._metrics.add(LATENESS, due_ns - picture.motion.pts_ns)
        self.tempo.tick()
        return picture

    def _trailed(self, picture: Picture, begun_ns: int, driven: Iterable[Driven]) -> Picture:
        """With its trail, if a driver moved it: the mix gives a motion the instant of the one that leads it."""
        leader = next((newest for newest in driven if newest.motion.pts_ns == picture.motion.pts_ns), None)
        return picture if leader is None else replace(picture, trail=Trail(leader, begun_ns, self._clock.now_ns()))

    def _input_ended(self, before_ns: int) -> bool:
        """Whether a lane that drives the face has ended, with its last value before an instant."""
        return any(lane.ended(before_ns) for lane in self._lanes if lane.role != "soundtrack")

    def _hear(self, sound: Sound) -> None:
        for sink in self._outlets or self._sinks:
            sink.hear(sound)

    def _do_without(self, lost: Outlet, error: BaseException) -> None:
        """Goes on without an output that failed for good, if another shows pictures. Called in the output's thread."""
        if any(outlet.failure is None and outlet.sink.shows for outlet in self._outlets):
            _log.warning("the output %s is given up: %s; the others go on", lost.sink.name, in_words(error))
        else:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._ending.fail(error)
        self._stop.set()

    def _closing(self) -> AbstractContextManager[None]:
        """At the end closes sources, their threads and drivers, outlets, sinks and engine, in this order."""
        self._begun = True
        stuck: set[int] = set()

        def finish(outlet: Outlet) -> None:
            if not outlet.finish():
                stuck.add(id(outlet.sink))
                self._fail(outlet.unresponsive())

        def close(sink: Sink) -> None:
            if id(sink) not in stuck:  # its thread may still be inside
                broken = any(outlet.sink is sink and outlet.failure is not None for outlet in self._outlets)
                sink.close(complete=self._ending.failure is None and not broken)

        return self._ending.closing(
            [
                self._stop.set,
                self.tempo.end,
                *(lane.close for lane in self._lanes),
                *(lane.join for lane in self._lanes),
                *(lambda outlet=outlet: finish(outlet) for outlet in self._outlets),
                *(lambda sink=sink: close(sink) for sink in self._sinks),
                self._stage.close,
                *(outlet.check for outlet in self._outlets),
            ]
        )
