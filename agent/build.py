"""The composition root: settings -> objects. The only file that knows every name."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cv2

from agent.config import Run
from agent.engines import open_engine, usable_engines
from agent.known_person import open_person, open_speaker
from agent.look import Look, first_look
from agent.patience import patiently
from agent.plan import Plan, is_file_output, is_virtual_microphone, make_plan
from agent.preparing import Prepared, Wish, prepare, warm_up
from agent.probe import Probe
from agent.speech_driver import open_speech
from calibration.background import still
from calibration.person import PersonCheck
from calibration.profile_file import load_profile
from models.audio.speaker_layer import SpeakerLayer
from models.errors import AgentError, InputError
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from models.one_face import OneFace
from runtime.change import Change
from runtime.clock import Clock, MonotonicClock
from runtime.drivers.face_video import FaceVideo
from runtime.drivers.idle import Idle
from runtime.drivers.mouth_cutter import MouthCutter
from runtime.drivers.mouth_sight import MouthSight
from runtime.engines import Engine
from runtime.frame import Frame
from runtime.ladder import RUNGS, Ladder
from runtime.lane import Lane
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.report import LATENESS, OFFSET, Report, latency, picture_age_ns, stage_times
from runtime.sinks import Sink
from runtime.sinks.video_file import VideoFile
from runtime.sinks.virtual_camera import VirtualCamera, free_virtual_cameras
from runtime.sinks.virtual_microphone import VirtualMicrophone, open_sound_output
from runtime.sound import Sound
from runtime.sources import Source
from runtime.sources.media import ClipFrames, ClipSound
from runtime.sources.paced import Paced
from runtime.trail import paths
from runtime.turn import Turn
from runtime.worker import Worker

T = TypeVar("T", Frame, Sound)

_LEAD_NS = 100_000_000  # from the end of preparations to the first picture of a live run
_NOTHING = Probe()
_SWITCH_S = 0.0005  # how long one thread may keep the others from Python: a picture takes it ten times and more


class Session:
    """A run that is ready to start."""

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        say: Callable[[str], None],
        interrupted: Callable[[], bool] = lambda: False,
        probe: Probe = _NOTHING,
    ) -> None:
        """Opens devices and outputs and prepares the portrait.

        Args:
            plan: what to open.
            clock: of everything that runs.
            say: hears what the user should know.
            interrupted: whether the user does not want the run any more.
            probe: of a measurement.

        Raises:
            InputError: a device, photo or output that cannot be used; what was opened by then is closed.
            Abandoned: it was interrupted; what was opened by then is closed, too.
        """
        cv2.setNumThreads(1)  # pools of several libraries on few cores make latency worse
        sys.setswitchinterval(_SWITCH_S)
        config = plan.config
        if plan.left_out:
            say(plan.left_out)
        self.plan, self.metrics, self._clock, self._say = plan, Metrics(), clock, say
        opening = partial(open_engine, config.engine, config.backend, say)
        self.engine = patiently(f"opening the engine {config.engine}", opening, interrupted, say)
        self._camera: Source[Frame] | None = None
        self._loop: Loop | None = None
        self._look: Look | None = None
        self._turn = Turn(self._swap)
        self._engines = usable_engines()
        self._preparing: Worker[Wish, Prepared] = Worker("the change", warm_up, prepare)
        with ExitStack() as opened:
            opened.callback(self.engine.close)
            profile = None if config.profile is None else load_profile(config.profile)
            speaker = None if profile is None else open_speaker(profile, config, say)
            person = None if profile is None or plan.camera is None else open_person(profile, plan.camera)
            camera = probe.camera
            if camera is None and plan.camera is not None:
                camera = open_camera(plan.camera, clock)
            if camera is not None:
                self._camera = camera
                opened.callback(camera.close)
            microphone = probe.microphone
            if microphone is None and plan.microphone is not None:
                microphone = open_microphone(plan.microphone, clock)
            if microphone is not None:
                opened.callback(microphone.close)
            self.sinks: list[Sink] = []
            for name in plan.outputs:  # a virtual camera shows something while the rest is prepared
                self.sinks.append(self._open_sink(name, microphone))
                opened.callback(self.sinks[-1].close)
            self._look = first_look(config.portrait, plan.size, config.framing, config.background)
            for note in self._look.notes:
                say(note)
            for sink in self.sinks:
                if isinstance(sink, VirtualCamera):
                    sink.hold(still(self._look.portrait))
            preparing = partial(self.engine.prepare, self._look.portrait)
            avatar = patiently(f"preparing {config.portrait.name}", preparing, interrupted, say)
            rungs = RUNGS if config.quality == "auto" and not plan.offline else RUNGS[:1]
            self._ladder = Ladder(config.fps, rungs, tracks=camera is not None)
            face = None if camera is None else open_face_video(config, person, self._ladder)
            if config.mouth == "driver":
                say("the avatar shows the driver's own mouth: the pixels between the lips leave, and nothing else")
            self._start_ns = 0 if plan.offline else clock.now_ns() + _LEAD_NS
            self._loop = Loop(
                mode=config.mode,
                lanes=self._lanes(camera, face, microphone, speaker),
                idle=Idle(config.seed, config.liveliness, config.blinks),
                engine=self.engine,
                avatar=avatar,
                sinks=self.sinks if probe.instrument is None else [probe.instrument(sink) for sink in self.sinks],
                fps=config.fps,
                clock=clock,
                metrics=self.metrics,
                ladder=self._ladder,
                start_ns=self._start_ns,
            )
            if "preview" in plan.outputs:
                self._preparing.start()  # its page changes portraits: the first change should not wait for imports
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
            InputError: no human face in the photo, a picture that cannot be read, no such engine; or the run is
                offline. The run goes on as it was.
            AgentError: a newer change of the same kind came while this one waited; the other process has ended, or took
                too long; or the run has ended.
        """
        if self.plan.offline:
            raise InputError("an offline run keeps its portrait; give --realtime to change it")
        if change.background == "transparent" and self.plan.config.background != "transparent":
            raise InputError("a run that has a background keeps one; start it with --background transparent")
        notes = self._turn.take(change)
        return notes if change.portrait is not None else ()

    def close(self) -> None:
        """Ends what the run holds, a change that is being prepared too. After the loop, or in its place."""
        self._preparing.close()
        self.loop.close()

    def _swap(self, change: Change) -> tuple[str, ...]:
        if self._loop is None or self._look is None:
            raise AgentError("the first portrait is still being prepared; try again")
        name = change.engine or self.engine.name
        engine = self.engine if name == self.engine.name else self._open(name)
        try:
            prepared = self._preparing.ask(Wish(self._look, change, engine.name if engine.portable else None))
            avatar = prepared.avatar if engine.portable else engine.prepare(prepared.look.portrait)
        except BaseException:
            if engine is not self.engine:
                engine.close()
            raise
        self._loop.swap(engine, avatar)
        self._look, self.engine = prepared.look, engine
        self._say(f"now shown: {self._look.name}, background {self._look.background}, engine {engine.name}")
        return self._look.notes

    def _open(self, name: str) -> Engine[Any]:
        """`--backend` was said of the run's own engine."""
        config = self.plan.config
        return open_engine(name, config.backend if name == config.engine else "auto", self._say)

    def _lanes(
        self,
        camera: Source[Frame] | None,
        face: FaceVideo | None,
        microphone: Source[Sound] | None,
        speaker: SpeakerLayer | None,
    ) -> list[Lane[Any]]:
        lanes: list[Lane[Any]] = []
        if camera is not None:
            lanes.append(Lane("video", self._in_time(camera), face, self.metrics, clock=self._clock))
        if microphone is not None and self.plan.listens:
            speech = open_speech(self.plan.config, self.plan.offline, speaker, self._say)
            lane = Lane("audio", self._in_time(microphone), speech, self.metrics, audible=True, clock=self._clock)
            lanes.append(lane)
        elif microphone is not None:
            lanes.append(Lane("soundtrack", self._in_time(microphone), None, self.metrics, audible=True))
        return lanes

    def _in_time(self, source: Source[T]) -> Source[T]:
        """Files play at their own speed in a live run."""
        is_file = isinstance(source, ClipFrames | ClipSound)
        return Paced(source, self._clock, self._start_ns) if is_file and not self.plan.offline else source

    def _open_sink(self, name: str, microphone: Source[Sound] | None) -> Sink:
        plan, config = self.plan, self.plan.config
        if is_file_output(name):
            has_sound = plan.microphone is not None
            transparent = config.background == "transparent"
            return VideoFile(
                Path(name), config.fps, plan.size, live=not plan.offline, sound=has_sound, transparent=transparent
            )
        if name == "preview":
            from runtime.sinks.preview import Preview  # aiohttp: a third of a second that others need not pay

            return Preview(
                title=config.portrait.stem,
                status=self.status,
                change=self.swap,
                clock=self._clock,
                metrics=self.metrics,
            )
        device = name.partition(":")[2]
        if is_virtual_microphone(name):
            output = open_sound_output(device, self._clock, getattr(microphone, "name", None))
            return VirtualMicrophone(output, lambda: picture_age_ns(self.metrics, self._shown_by()), self.metrics)
        return VirtualCamera(plan.size, config.fps, device or None)

    def _shown_by(self) -> list[str]:
        """Names of the outputs that show pictures, the one that others in a call see first."""
        shown = [sink for sink in self.sinks if not isinstance(sink, VirtualMicrophone)]
        return [sink.name for sink in sorted(shown, key=lambda sink: not isinstance(sink, VirtualCamera))]

    def status(self) -> dict[str, Any]:
        """The live figures, as the preview page shows them; few while the portrait is being prepared."""
        config = self.plan.config
        figures: dict[str, Any] = {"portrait": config.portrait.name, "fps": config.fps, "mode": config.mode}
        if self._loop is None or self._look is None:
            return figures
        name = self._look.name
        figures |= {"portrait": name, "title": Path(name).stem}
        figures |= {"background": Path(self._look.background).name, "engines": self._engines}
        return figures | self.report().as_dict() | {"fps_rendered": round(self._loop.tempo.recent_fps, 1)}

    def written(self) -> list[Path]:
        """The files that are complete, once the loop has ended."""
        return [sink.completed for sink in self.sinks if isinstance(sink, VideoFile) and sink.completed is not None]

    def report(self) -> Report:
        """The figures so far."""
        ways = paths(self.metrics)
        underruns = {sink.name: sink.underruns for sink in self.sinks if isinstance(sink, VirtualMicrophone)}
        return Report(
            engine=self.engine.name,
            backend=self.engine.backend,
            mode=self.plan.config.mode,
            realtime=not self.plan.offline,
            frames=self.loop.tempo.frames,
            dropped=self.loop.dropped,
            lost=self.loop.lost | underruns,
            faults=self.loop.faults,
            fps_rendered=round(self.loop.tempo.mean_fps, 2),
            quality=None if self.plan.offline else self._ladder.standing,
            stages=stage_times(self.metrics),
            latency_ms=latency(ways),
            paths=ways,
            audio_video_offset_ms=self._audio_video_offset_ms(),
            camera_fps=getattr(self._camera, "rate_fps", None),
        )

    def _audio_video_offset_ms(self) -> float | None:
        if any(isinstance(sink, VirtualMicrophone) for sink in self.sinks):
            return self.metrics.percentiles(OFFSET).p50_ms if OFFSET in self.metrics.stages() else None
        delays = [sink.delay_ns for sink in self.sinks if isinstance(sink, VideoFile)]
        if self.plan.microphone is None or not delays or delays[0] is None:
            return None
        return round(self.metrics.percentiles(LATENESS).p50_ms - delays[0] / 1e6, 3)


def open_camera(camera: Path | str, clock: Clock) -> Source[Frame]:
    """A file's pictures, or a camera; "" is the first that no program feeds."""
    if isinstance(camera, Path):
        return ClipFrames(camera)
    from runtime.sources.camera import Camera
    from runtime.sources.devices import default_camera

    return Camera(camera or default_camera(), clock)


def open_face_video(config: Run, person: PersonCheck | None, ladder: Ladder) -> FaceVideo:
    """The driver of `--camera`, which looks at as many frames as the ladder says."""
    model = load_face_model()
    mouth = MouthCutter(model) if config.mouth == "driver" else None
    sight = MouthSight(model) if config.mode == "both" else None
    absolute, tracker = config.motion == "absolute", OneFace(MediapipeTracker())
    return FaceVideo(tracker, model, person, absolute, mouth, sight, lambda: ladder.rung.track_every)


def open_microphone(microphone: Path | str, clock: Clock) -> Source[Sound]:
    """A file's sound, or a microphone; "" is the default one."""
    if isinstance(microphone, Path):
        return ClipSound(microphone)
    from runtime.sources.microphone import Microphone

    return Microphone(microphone or None, clock)


def build(config: Run, say: Callable[[str], None], interrupted: Callable[[], bool] = lambda: False) -> Session:
    """Checks, opens and prepares everything for a run."""
    return Session(make_plan(config, free_virtual_cameras()), MonotonicClock(), say, interrupted)
