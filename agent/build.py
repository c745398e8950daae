"""The composition root: settings -> objects. The only file that knows every name."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2

from agent.config import Run, parse_size
from calibration.portrait import prepare_portrait, read_photo
from models.errors import InputError
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from runtime.clock import Clock, MonotonicClock
from runtime.drivers.face_video import FaceVideo
from runtime.drivers.idle import Idle
from runtime.drivers.spectral_mouth import SpectralMouth
from runtime.engines.builtin import BuiltinEngine
from runtime.frame import Frame, Sound
from runtime.lane import Lane
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.report import LATENESS, Report, latency, stage_times
from runtime.sinks import Sink
from runtime.sinks.video_file import EXTENSIONS, VideoFile
from runtime.sources import Source
from runtime.sources.media import ClipFrames, ClipSound, probe
from runtime.sources.paced import Paced

T = TypeVar("T", Frame, Sound)

_LEAD_NS = 200_000_000  # from "all is built" to the first picture of a live run


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will consist of, checked before anything slow starts."""

    config: Run
    size: tuple[int, int]
    camera: Path | str | None
    """A file, a device, or None where the mode has no camera."""
    microphone: Path | str | None
    """A file, a device ("" is the default one), or None where nothing is heard."""
    outputs: tuple[str, ...]
    offline: bool
    duration_ns: int
    """Of the files that drive the face; 0 with devices."""

    @property
    def frames(self) -> int:
        """Pictures of an offline run."""
        return max(1, round(self.duration_ns * self.config.fps / 1e9))

    @property
    def listens(self) -> bool:
        """Whether sound drives the mouth."""
        return self.config.mode != "video"


def plan(config: Run) -> Plan:
    """Checks settings, files and outputs.

    Raises:
        InputError: with the first thing that is wrong and how to mend it.
    """
    size = parse_size(config.size)
    if not 1 <= config.fps <= 120:
        raise InputError(f"--fps {config.fps}: give 1 to 120")
    if config.realtime and config.offline:
        raise InputError("--realtime and --offline exclude each other: give one of them")
    if not config.portrait.is_file():
        raise InputError(f"--portrait {config.portrait}: no such file")
    camera = None if config.mode == "audio" else _input(config.camera or "0")
    microphone = _microphone(config, camera)
    files = [path for path in (camera, microphone) if isinstance(path, Path)]
    drivers = [camera] if config.mode == "video" else [microphone] if camera is None else [camera, microphone]
    duration_ns = min((probe(path).duration_ns for path in drivers if isinstance(path, Path)), default=0)
    if isinstance(camera, Path) and not probe(camera).has_video:
        raise InputError(f"--camera {camera} has no pictures; give a video file")
    if isinstance(microphone, Path) and not probe(microphone).has_sound:
        raise InputError(f"--microphone {microphone} has no sound; give a file with speech")
    only_files = len(files) == sum(device is not None for device in (camera, microphone))
    outputs = config.output or _default_outputs()
    to_files = [_check_output(name) for name in outputs]
    can_be_offline = only_files and all(to_files)
    if config.offline and not can_be_offline:
        raise InputError("--offline needs files as inputs and only files as outputs")
    if config.report is not None and not config.report.parent.is_dir():
        raise InputError(f"--report {config.report}: the folder {config.report.parent} does not exist")
    offline = can_be_offline and not config.realtime
    return Plan(config, size, camera, microphone, outputs, offline, duration_ns)


def _input(name: str) -> Path | str:
    """A path where `name` is, or looks like, a file; else the name of a device."""
    path = Path(name)
    return path if path.exists() or path.suffix.lower() in _MEDIA_SUFFIXES or "/" in name else name


_MEDIA_SUFFIXES = (
    *(".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac"),
    *(".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v"),
)


def _microphone(config: Run, camera: Path | str | None) -> Path | str | None:
    """What is heard: what was named, else the sound of a clip that acts as camera, else the default device."""
    if config.microphone is not None:
        return _input(config.microphone)
    if isinstance(camera, Path):
        return camera if probe(camera).has_sound else None if config.mode == "video" else ""
    return None if config.mode == "video" else ""


def _default_outputs() -> tuple[str, ...]:
    from runtime.sinks.virtual_camera import list_virtual_cameras

    return ("virtual-camera",) if list_virtual_cameras() else ("preview",)


def _check_output(name: str) -> bool:
    """Whether the output is a file."""
    if name == "preview" or name.partition(":")[0] == "virtual-camera":
        return False
    path = Path(name)
    if path.suffix.lower() not in EXTENSIONS:
        raise InputError(f"--output {name}: give virtual-camera, preview, or a file ending in {', '.join(EXTENSIONS)}")
    if not path.parent.is_dir():
        raise InputError(f"--output {name}: the folder {path.parent} does not exist; make it first")
    return True


class Session:
    """A run that is ready to start."""

    def __init__(self, plan: Plan, clock: Clock, say: Callable[[str], None]) -> None:
        """Opens devices, prepares the portrait and opens the outputs; `say` hears what the user should know.

        Raises:
            InputError: a device, photo or output that cannot be used; what was opened by then is closed.
        """
        cv2.setNumThreads(1)  # pools of several libraries on few cores make latency worse
        self.plan, self.metrics, self._clock = plan, Metrics(), clock
        self.engine = BuiltinEngine()
        self._loop: Loop | None = None
        config = plan.config
        with ExitStack() as opened:
            camera = None if plan.camera is None else open_camera(plan.camera, clock)
            if camera is not None:
                opened.callback(camera.close)
            microphone = None if plan.microphone is None else open_microphone(plan.microphone, clock)
            if microphone is not None:
                opened.callback(microphone.close)
            self.sinks = self._open_sinks(opened)  # a virtual camera shows something while the rest is prepared
            photo = read_photo(config.portrait)
            portrait = prepare_portrait(photo, plan.size, config.background, config.portrait.name)
            for note in portrait.notes:
                say(note)
            avatar = self.engine.prepare(portrait)
            self._start_ns = 0 if plan.offline else clock.now_ns() + _LEAD_NS
            self._loop = Loop(
                mode=config.mode,
                lanes=self._lanes(camera, microphone),
                idle=Idle(seed=config.seed),
                engine=self.engine,
                avatar=avatar,
                sinks=self.sinks,
                fps=config.fps,
                clock=clock,
                metrics=self.metrics,
                start_ns=self._start_ns,
            )
            opened.pop_all()  # the loop closes them from here on

    @property
    def loop(self) -> Loop:
        """What `run_offline` or `run_live` starts."""
        assert self._loop is not None
        return self._loop

    def _lanes(self, camera: Source[Frame] | None, microphone: Source[Sound] | None) -> list[Lane[Any]]:
        lanes: list[Lane[Any]] = []
        if camera is not None:
            face = FaceVideo(MediapipeTracker(), load_face_model())
            lanes.append(Lane("video", self._in_time(camera), face, self.metrics))
        if microphone is not None and self.plan.listens:
            lanes.append(Lane("audio", self._in_time(microphone), SpectralMouth(), self.metrics, audible=True))
        elif microphone is not None:
            lanes.append(Lane("soundtrack", self._in_time(microphone), None, self.metrics, audible=True))
        return lanes

    def _in_time(self, source: Source[T]) -> Source[T]:
        """Files play at their own speed in a live run."""
        is_file = isinstance(source, ClipFrames | ClipSound)
        return Paced(source, self._clock, self._start_ns) if is_file and not self.plan.offline else source

    def _open_sinks(self, opened: ExitStack) -> list[Sink]:
        sinks: list[Sink] = []
        for name in self.plan.outputs:
            sinks.append(self._open_sink(name))
            opened.callback(sinks[-1].close)
        return sinks

    def _open_sink(self, name: str) -> Sink:
        plan, config = self.plan, self.plan.config
        kind, _, device = name.partition(":")
        if kind == "virtual-camera":
            from runtime.sinks.virtual_camera import VirtualCamera

            return VirtualCamera(plan.size, config.fps, device or None)
        if name == "preview":
            from runtime.sinks.preview import Preview

            return Preview(title=config.portrait.stem, status=self.status)
        has_sound = plan.microphone is not None
        return VideoFile(Path(name), config.fps, plan.size, live=not plan.offline, sound=has_sound)

    def status(self) -> dict[str, object]:
        """The live figures, as the preview page shows them; few while the portrait is being prepared."""
        config = self.plan.config
        figures = {} if self._loop is None else self.report().as_dict()
        return {"portrait": config.portrait.name, "fps": config.fps, "mode": config.mode, **figures}

    def report(self) -> Report:
        """The figures so far."""
        late_ms = self.metrics.percentiles(LATENESS).p50_ms
        delays = [sink.delay_ns for sink in self.sinks if isinstance(sink, VideoFile)]
        shift_ms = delays[0] / 1e6 if delays and delays[0] is not None else 0.0
        return Report(
            engine=self.engine.name,
            backend=self.engine.backend,
            mode=self.plan.config.mode,
            realtime=not self.plan.offline,
            frames=self.loop.frames,
            dropped=self.loop.dropped,
            fps_rendered=round(self.loop.fps_rendered, 2),
            stages=stage_times(self.metrics),
            latency_ms=latency(self.metrics),
            audio_video_offset_ms=round(late_ms - shift_ms, 3),
        )


def open_camera(camera: Path | str, clock: Clock) -> Source[Frame]:
    """A file's pictures, or a camera."""
    if isinstance(camera, Path):
        return ClipFrames(camera)
    from runtime.sources.camera import Camera

    return Camera(camera, clock)


def open_microphone(microphone: Path | str, clock: Clock) -> Source[Sound]:
    """A file's sound, or a microphone; "" is the default one."""
    if isinstance(microphone, Path):
        return ClipSound(microphone)
    from runtime.sources.microphone import Microphone

    return Microphone(microphone or None, clock)


def build(config: Run, say: Callable[[str], None]) -> Session:
    """Checks, opens and prepares everything for a run."""
    return Session(plan(config), MonotonicClock(), say)
