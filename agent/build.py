"""The composition root: settings -> a run that is ready to start."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from agent.config.run import Run
from agent.engines import open_engine, usable_engines
from agent.far import Far
from agent.inputs import NO_INPUTS, open_inputs
from agent.lanes import open_lanes
from agent.look import Look, first_look
from agent.patience import patiently
from agent.plan import LOUDSPEAKER, Plan, is_file_output, is_loudspeaker, is_virtual_microphone, is_webrtc, make_plan
from agent.probe import Instrumented, Probe
from agent.shown import Shown
from agent.webrtc import open_webrtc
from calibration.background import still
from models.portrait import Pixels
from models.weights import with_person
from runtime.answers import watched
from runtime.change import Change, Nobody, Upload
from runtime.clock import Clock, MonotonicClock
from runtime.drivers.idle import Idle
from runtime.engines.still import StillEngine
from runtime.ladder import Ladder, rungs_of
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.report import LATENESS, OFFSET, Report, latency, picture_age_ns, stage_times
from runtime.sinks import DelayingSink, Sink
from runtime.sinks.loudspeaker import Loudspeaker
from runtime.sinks.video_file import VideoFile
from runtime.sinks.virtual_camera import VirtualCamera
from runtime.sinks.virtual_camera_device import free_virtual_cameras
from runtime.sinks.virtual_microphone import VirtualMicrophone, open_sound_output
from runtime.trail import paths

_LEAD_NS = 100_000_000  # from the end of preparations to the first picture of a live run
_NOTHING = Probe()
_SWITCH_S = 0.0005  # how long one thread may keep the others from Python: a picture takes it ten times and more


def build(config: Run, say: Callable[[str], None], interrupted: Callable[[], bool] = lambda: False) -> "Session":
    """Checks, opens and prepares everything for a run."""
    return Session(make_plan(config, free_virtual_cameras()), MonotonicClock(), say, interrupted)


def _hush(line: str) -> None:
    """Says nothing: a call may be waited for all day."""


class Session:
    """A run that is ready to start."""

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        say: Callable[[str], None],
        interrupted: Callable[[], bool] = lambda: False,
        probe: Probe = _NOTHING,
        far: Far | None = None,
    ) -> None:
        """Opens devices and outputs and prepares the portrait.

        Args:
            plan: what to open.
            clock: of everything that runs.
            say: hears what the user should know.
            interrupted: whether the user does not want the run any more.
            probe: of a measurement.
            far: who is shown in place of the user, by their own motion; None shows the plan's portrait and inputs.

        Raises:
            InputError: a device, photo or output that cannot be used; what was opened by then is closed.
            Abandoned: it was interrupted; what was opened by then is closed, too.
        """
        cv2.setNumThreads(1)  # pools of several libraries on few cores make latency worse
        sys.setswitchinterval(_SWITCH_S)
        if plan.left_out:
            say(plan.left_out)
        self.plan, self.metrics, self._clock, self._say = plan, Metrics(), clock, say
        self._far = far
        self.sinks: list[Sink] = []
        self._loop: Loop | None = None
        config, wait = plan.config, partial(patiently, asked=interrupted, say=say)
        opening = partial(open_engine, with_person(config.engine, config.person), config.backend, say)
        engine = probe.engine or wait(f"opening the engine {config.engine}", opening)
        self.shown, self._engines = Shown(plan, engine, say, softly=far is not None), usable_engines()
        with ExitStack() as opened:
            opened.callback(engine.close)
            looking = partial(open_inputs, plan, clock, say, probe, opened)
            self._inputs = NO_INPUTS if far is not None else wait("opening the inputs", looking)
            with watched(self._inputs.answers):
                for name in plan.outputs:  # a virtual camera shows something while the rest is prepared
                    wait(f"opening the output {name}", partial(self._add_sink, name, opened))
                named = probe.portrait or config.portrait
                photo = named if far is None else patiently("waiting", far.portrait, interrupted, _hush)
                look = self._first_look(photo)
                if isinstance(photo, Nobody):
                    engine.close()
                    engine = self.shown.engine = StillEngine()
                avatar = wait(f"preparing {photo.name}", partial(engine.prepare, look.portrait))
            self._loop = self._compose(avatar, probe)
            self.shown.begin(look, self._loop)
            if "preview" in plan.outputs and far is None:
                self.shown.expect_changes()  # its page changes portraits
            opened.pop_all()  # the loop closes them from here on

    @property
    def loop(self) -> Loop:
        """What `run_offline` or `run_live` starts."""
        assert self._loop is not None
        return self._loop

    def swap(self, change: Change) -> tuple[str, ...]:
        """Changes portrait, background or engine of a live run between two of its pictures, at the same size.

        What is new is prepared in another process (`agent.preparing`), for which the caller waits. Any thread. Changes
        that come while one is prepared are made together afterwards; of the same kind the newest counts.

        Returns:
            What the user should know of the new photo, one sentence each.

        Raises:
            DoubtfulError: the engine cannot keep up here, and the change is not `sure`.
            InputError: no human face in the photo, a picture that cannot be read, no such engine; or the run is
                offline. The run goes on as it was.
            AgentError: a newer change of the same kind came while this one waited; the other process has ended, or took
                too long; or the run has ended.
        """
        return self.shown.change(change)

    def clear(self, portrait: Upload | Nobody | None = None) -> None:
        """Shows nobody, an outline, from the next picture of a live run on; changes that are being prepared are not
        made. With a `portrait`, only if that is what `swap` showed last. Any thread.
        """
        self.shown.clear(portrait)

    def outline(self) -> Pixels | None:
        """What `clear` shows, as large as the run's pictures; None before the first. Any thread."""
        return self.shown.outline()

    def close(self) -> None:
        """Ends what the run holds, a change that is being prepared too. After the loop, or in its place."""
        self.shown.close()
        self.loop.close()

    def _first_look(self, photo: Path | Upload | Nobody) -> Look:
        config = self.plan.config
        look = first_look(photo, self.plan.size, config.framing, config.background)
        for note in look.notes:
            self._say(note)
        for sink in self.sinks:
            if isinstance(sink, VirtualCamera):
                sink.hold(still(look.portrait))
        return look

    def _compose(self, avatar: Any, probe: Probe) -> Loop:
        """The loop that closes what was opened."""
        plan, config, inputs = self.plan, self.plan.config, self._inputs
        rungs = rungs_of(config.quality, not plan.offline)
        self._ladder = Ladder(config.fps, rungs, tracks=inputs.camera is not None)
        if config.mouth == "driver":
            self._say("the avatar shows the driver's own mouth: the pixels between the lips leave, and nothing else")
        start_ns = 0 if plan.offline else self._clock.now_ns() + _LEAD_NS
        if self._far is None:
            lanes = open_lanes(plan, inputs, self._ladder, self.metrics, self._clock, start_ns, self._say)
        else:
            lanes = [self._far.lane(self.metrics)]
        return Loop(
            mode=config.mode,
            lanes=lanes,
            idle=Idle(config.seed, config.liveliness, config.blinks),
            engine=self.shown.engine,
            avatar=avatar,
            sinks=[Instrumented(sink, probe.instrument) for sink in self.sinks] if probe.instrument else self.sinks,
            fps=config.fps,
            clock=self._clock,
            metrics=self.metrics,
            ladder=self._ladder,
            start_ns=start_ns,
            over=None if self._far is None else self._far.over,
        )

    def _add_sink(self, name: str, opened: ExitStack) -> None:
        """Opens an output, which is closed with the rest even if the run was interrupted meanwhile."""
        sink = self._open_sink(name)
        opened.callback(sink.close)
        self.sinks.append(sink)

    def _open_sink(self, name: str) -> Sink:
        plan, config, device = self.plan, self.plan.config, name.partition(":")[2]
        if is_loudspeaker(name):
            return VirtualMicrophone(Loudspeaker(device, self._clock), self._picture_age_ns, self.metrics, LOUDSPEAKER)
        if is_file_output(name):
            has_sound = plan.microphone is not None
            transparent = config.background == "transparent"
            return VideoFile(
                Path(name), config.fps, plan.size, live=not plan.offline, sound=has_sound, transparent=transparent
            )
        if name == "preview":
            from runtime.sinks.preview import Preview  # aiohttp: a third of a second that others need not pay

            return Preview(
                title=config.portrait.stem if self._far is None else "Call",
                status=self.status,
                change=self.swap if self._far is None else None,
                clock=self._clock,
                metrics=self.metrics,
            )
        if is_webrtc(name):
            return open_webrtc(name, plan, self.status, self._say, self._clock, self.metrics)
        if is_virtual_microphone(name):
            output = open_sound_output(device, self._clock, getattr(self._inputs.microphone, "name", None))
            return VirtualMicrophone(output, self._picture_age_ns, self.metrics)
        return VirtualCamera(plan.size, config.fps, device or None)

    def _picture_age_ns(self) -> int | None:
        """When pictures are shown; by the output that others see first."""
        shown = [sink for sink in self.sinks if not isinstance(sink, VirtualMicrophone)]
        shown.sort(key=lambda sink: not isinstance(sink, VirtualCamera))
        return picture_age_ns(self.metrics, [sink.name for sink in shown])

    def status(self) -> dict[str, Any]:
        """The live figures, as the preview page shows them; few while the portrait is being prepared."""
        config = self.plan.config
        figures: dict[str, Any] = {"portrait": config.portrait.name, "fps": config.fps, "mode": config.mode}
        look = self.shown.look
        if self._loop is None or look is None:
            return figures
        figures |= {"portrait": look.name, "title": Path(look.name).stem}
        figures |= {"background": Path(look.background).name, "engines": self._engines, "chosen": self.shown.chosen}
        figures["link"] = next((getattr(sink, "url", None) for sink in self.sinks if sink.name == "webrtc"), None)
        figures |= self.report().as_dict() | {"fps_rendered": round(self._loop.tempo.recent_fps, 1)}
        figures["since_picture_s"] = round(self._loop.tempo.since_picture_s, 1)
        return figures if self._far is None else figures | self._far.status()

    def written(self) -> list[Path]:
        """The files that are complete, once the loop has ended."""
        return [sink.completed for sink in self.sinks if isinstance(sink, VideoFile) and sink.completed is not None]

    def report(self) -> Report:
        """The figures so far."""
        ways = paths(self.metrics)
        underruns = {sink.name: sink.underruns for sink in self.sinks if isinstance(sink, DelayingSink)}
        return Report(
            engine=self.shown.engine.name,
            backend=self.shown.engine.backend,
            mode=self.plan.config.mode if self._far is None else "call",
            realtime=not self.plan.offline,
            frames=self.loop.tempo.frames,
            dropped=self.loop.dropped,
            lost=self.loop.lost | underruns,
            faults=self.loop.faults,
            silent=self.loop.silent,
            fps_rendered=round(self.loop.tempo.mean_fps, 2),
            quality=None if self.plan.offline else self._ladder.standing,
            stages=stage_times(self.metrics),
            latency_ms=latency(ways),
            paths=ways,
            audio_video_offset_ms=self._audio_video_offset_ms(),
            camera_fps=getattr(self._inputs.camera, "rate_fps", None),
        )

    def _audio_video_offset_ms(self) -> float | None:
        if any(isinstance(sink, DelayingSink) for sink in self.sinks):
            return self.metrics.percentiles(OFFSET).p50_ms if OFFSET in self.metrics.stages() else None
        delays = [sink.delay_ns for sink in self.sinks if isinstance(sink, VideoFile)]
        if self.plan.microphone is None or not delays or delays[0] is None:
            return None
        return round(self.metrics.percentiles(LATENESS).p50_ms - delays[0] / 1e6, 3)
