"""The half of a call that leaves: the user's motion and voice, from the same inputs as a run's, drawn nowhere here."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from agent.inputs import open_inputs
from agent.lanes import open_lanes
from agent.plan import Plan
from agent.probe import Probe
from models.errors import AgentError
from models.motion import Motion
from runtime.clock import Clock
from runtime.drivers.face_video import Watch
from runtime.drivers.idle import Idle
from runtime.engines.undrawn import UndrawnEngine
from runtime.ladder import Ladder, rungs_of
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.report import picture_age_ns
from runtime.sinks.far_end import FarEnd
from runtime.transports.motion_link import RATE_HZ

_LEAD_NS = 100_000_000


class Speaking:
    """A loop of its own, from when the other end is ready until it ends or is closed."""

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        say: Callable[[str], None],
        give: Callable[[Motion], None],
        ended: Callable[[Exception | None], None],
        watch: Watch | None = None,
    ) -> None:
        """Opens the inputs.

        Args:
            plan: of the inputs.
            clock: of everything that runs.
            say: hears what the user should know.
            give: takes each motion; must not block.
            ended: hears once, in the loop's thread, that the inputs have ended, or why they failed.
            watch: is shown the camera's frames.

        Raises:
            InputError: a device or file that cannot be used.
        """
        self._plan, self._clock, self._say = replace(plan, config=replace(plan.config, fps=RATE_HZ)), clock, say
        self._metrics, self._ended, self._watch = Metrics(), ended, watch
        self.far_end = FarEnd(give, lambda: picture_age_ns(self._metrics, [FarEnd.name]))
        self._lock = threading.Lock()  # guards the three below
        self._loop: Loop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        with ExitStack() as opened:
            self._inputs = open_inputs(self._plan, clock, say, Probe(), opened)
            self._opened = opened.pop_all()

    def begin(self) -> None:
        """Lets the loop begin, if it has not. Any thread; does not wait for it."""
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="speaking", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Ends the loop and frees the inputs. May be called twice."""
        with self._lock:
            self._closed, loop, thread = True, self._loop, self._thread
        if loop is not None:
            loop.stop()
        if thread is not None:
            thread.join()
        self._opened.close()

    def _run(self) -> None:
        error: Exception | None = None
        try:
            loop = self._composed()
            with self._lock:
                self._loop = loop
                stop = self._closed
            if stop:
                loop.close()
            else:
                loop.run_live()
        except Exception as failure:
            error = failure if isinstance(failure, AgentError) else AgentError(f"speaking failed: {failure}")
        self._ended(error)

    def _composed(self) -> Loop:
        plan, config, inputs = self._plan, self._plan.config, self._inputs
        rungs = rungs_of(config.quality, live=True)
        ladder = Ladder(RATE_HZ, rungs, tracks=inputs.camera is not None)
        start_ns = self._clock.now_ns() + _LEAD_NS
        return Loop(
            mode=config.mode,
            lanes=open_lanes(plan, inputs, ladder, self._metrics, self._clock, start_ns, self._say, self._watch),
            idle=Idle(config.seed, config.liveliness, config.blinks),
            engine=UndrawnEngine(),
            avatar=None,
            sinks=[self.far_end],
            fps=RATE_HZ,
            clock=self._clock,
            metrics=self._metrics,
            ladder=ladder,
            start_ns=start_ns,
        )
