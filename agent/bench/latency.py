"""`agent bench latency`: from a synthetic camera or microphone to the program that reads an output."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import TypeVar

import numpy as np
from jaxtyping import Float64

from agent.bench.figures import Figures, Spread, Steps
from agent.bench.reader import Reader, Reading
from agent.bench.scene import PORTRAIT, Face, Stills, blocks_of, mouth_film, speech, step_times_s, words
from agent.bench.stamping import Stamping
from agent.bench.steps import own_response_ms, responses_ms, step_instants_ns
from agent.bench.synthetic import (
    BLOCKS_PER_S,
    CAMERA_FPS,
    Emissions,
    Samples,
    Still,
    SyntheticCamera,
    SyntheticMicrophone,
)
from agent.build import Session
from agent.config.bench import Bench
from agent.config.run import Run
from agent.plan import Plan, make_plan
from agent.probe import Probe
from models.errors import AgentError, InputError
from runtime.clock import MonotonicClock
from runtime.report import Report
from runtime.sinks.preview import Preview
from runtime.sinks.virtual_camera import VirtualCamera
from runtime.sinks.virtual_camera_device import free_virtual_cameras
from runtime.trail import VIEWERS

T = TypeVar("T")

_WARM_UP_S = 3.0
_STEPS = 8
_SHORTEST_S, _LONGEST_S = 2.0, 600.0


class LatencyBench:
    """One measurement: a run whose input first warms it up, then is read by its codes, then makes steps, and ends."""

    def __init__(self, config: Bench, say: Callable[[str], None]) -> None:
        """Prepares it, which takes seconds. Raises InputError: settings of no use, or an output that does not open."""
        self._config, self._say, self._clock = config, say, MonotonicClock()
        plan = _plan(config)
        self._times_s = step_times_s(_STEPS)
        self._own_ms = own_response_ms(plan.config, self._times_s)
        self._stamping, self._stop = threading.Event(), threading.Event()
        self._began_ns = self._ended_ns = self._dropped = 0
        self._report: Report | None = None
        self._device, probe = self._synthetic()
        self._session = Session(plan, self._clock, say, probe=probe)
        try:
            self._end, self._reader = _other_end(self._session)
        except BaseException:
            self._session.close()
            raise

    def stop(self) -> None:
        """Ends it early. Any thread."""
        self._stop.set()
        self._session.loop.stop()

    def run(self) -> Figures:
        """Measures.

        Raises:
            AgentError: nothing could be read from it.
            KeyboardInterrupt: `stop` was called.
        """
        try:
            self._say(f"reading codes for {self._config.seconds:g} s, then steps for {self._times_s[-1]:.0f} s")
            if not self._stop.is_set():
                self._session.loop.run_live()
        finally:
            complaint = self._reader.close()
            self._session.close()
        if self._stop.is_set():
            raise KeyboardInterrupt
        (sink,) = self._session.sinks
        ages_ms = self._ages_ms(self._reader.readings, self._device.seen)
        if not len(ages_ms) or self._report is None or self._report.quality is None:
            raise AgentError(f"nothing could be read from {sink.name}{complaint and ': '}{complaint}")
        return Figures(
            mode=self._config.mode,
            output=sink.name,
            size=self._config.size,
            fps=self._config.fps,
            pictures=len(ages_ms),
            dropped=self._report.dropped - self._dropped,
            rung=self._report.quality["rung"],
            load=os.getloadavg() if sys.platform != "win32" else (0.0, 0.0, 0.0),
            glass_to_glass_ms=Spread.of(ages_ms),
            path=self._report.paths[self._end],
            steps=self._steps(self._reader.readings),
        )

    def _synthetic(self) -> tuple[SyntheticCamera | SyntheticMicrophone, Probe]:
        if self._config.mode == "video":
            face = Face()
            camera = SyntheticCamera(self._clock, self._film(face.moving(), face.mouths()))
            return camera, Probe(camera=camera, instrument=Stamping(camera.seen, self._stamping))
        microphone = SyntheticMicrophone(self._clock, self._sound())
        return microphone, Probe(microphone=microphone, instrument=Stamping(microphone.seen, self._stamping))

    def _film(self, moving: Stills, mouths: Stills) -> Iterator[Still]:
        yield from self._phases(cycle(moving), CAMERA_FPS)
        yield from mouth_film(mouths, self._times_s)

    def _sound(self) -> Iterator[Samples]:
        yield from self._phases(cycle(blocks_of(speech())), BLOCKS_PER_S)
        yield from words(self._times_s)

    def _phases(self, values: Iterator[T], per_s: int) -> Iterator[T]:
        """The warming up and the time in which codes are read."""
        yield from islice(values, round(_WARM_UP_S * per_s))
        self._begin_codes()
        yield from islice(values, round(self._config.seconds * per_s))
        self._end_codes()

    def _begin_codes(self) -> None:
        self._session.metrics.forget()
        self._dropped = self._session.loop.dropped
        self._stamping.set()
        self._began_ns = self._clock.now_ns()

    def _end_codes(self) -> None:
        self._ended_ns = self._clock.now_ns()
        self._stamping.clear()
        self._report = self._session.report()

    def _ages_ms(self, readings: Sequence[Reading], seen: Emissions) -> Float64[np.ndarray, "n"]:
        """How old the pictures with codes were when they were read."""
        coded = [(r.code, r.at_ns) for r in readings if r.code is not None and r.at_ns >= self._began_ns]
        ages = [seen.age_ns(code, at_ns) for code, at_ns in coded]
        return np.array([age_ns for age_ns in ages if age_ns is not None], np.float64) / 1e6

    def _steps(self, readings: Sequence[Reading]) -> Steps:
        first_ns = self._device.start_ns + round((_WARM_UP_S + self._config.seconds) * 1e9)
        instants_ns = [first_ns + ns for ns in step_instants_ns(self._config.mode, self._times_s)]
        at_ns, thumbs = np.array([r.at_ns for r in readings]), np.array([r.thumb for r in readings])
        found = responses_ms(instants_ns, at_ns, thumbs)
        return Steps(_STEPS, len(found), float(np.median(found)) if len(found) else 0.0, self._own_ms)


def _plan(config: Bench) -> Plan:
    """The run that is measured. Raises InputError."""
    if not _SHORTEST_S <= config.seconds <= _LONGEST_S:
        raise InputError(f"--seconds {config.seconds:g}: give {_SHORTEST_S:g} to {_LONGEST_S:g}")
    if config.output is not None and config.output.partition(":")[0] not in ("virtual-camera", "preview"):
        raise InputError(f"--output {config.output}: give virtual-camera, virtual-camera:DEVICE, or preview")
    if config.output is not None and config.output.startswith("virtual") and sys.platform != "linux":
        raise InputError("--output virtual-camera is read back on Linux only: give --output preview")
    video = config.mode == "video"
    return make_plan(
        Run(
            PORTRAIT,
            config.mode,
            microphone=None if video else "synthetic",
            camera="synthetic" if video else None,
            output=() if config.output is None else (config.output,),
            size=config.size,
            fps=config.fps,
            liveliness=1.0 if video else 0.0,  # whatever else moves hides the steps
            blinks=1.0 if video else 0.0,
        ),
        free_virtual_cameras(),
    )


def _other_end(session: Session) -> tuple[str, Reader]:
    """Where pictures end up, as the run's paths name it, and who reads them there."""
    (sink,) = session.sinks
    if isinstance(sink, Preview):
        return VIEWERS, Reader("preview", sink.url)
    assert isinstance(sink, VirtualCamera)
    return sink.name, Reader("virtual-camera", sink.device)
