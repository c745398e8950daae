"""What a run will consist of: settings checked, files looked into, before anything slow or lasting starts."""

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

from agent.config.run import Run
from agent.config.size import parse_size
from calibration.background import check_background
from models.errors import InputError
from runtime.sinks.codecs import EXTENSIONS, TRANSPARENT_EXTENSIONS
from runtime.sources.media import MediaInfo, probe

LOUDSPEAKER = "loudspeaker"
"""An output of calls: loudspeaker, or loudspeaker:NAME."""

STILL = "is a single picture, in which nobody moves: give a video file, or a camera (agent devices lists them)"
"""What to say of such a file in the place of a camera."""

_MEDIA_SUFFIXES = frozenset(
    (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac")
    + (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v")
)
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+:)/", re.IGNORECASE)  # a path has one slash of the two
_NEGATIVE = re.compile(r"-\d+")
_NOTICED_NS = 200_000_000
_OUTPUTS = (
    f"give virtual-camera, virtual-microphone, preview, webrtc, whip:URL, or a file ending in {', '.join(EXTENSIONS)}"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that can start."""

    config: Run
    size: tuple[int, int]
    camera: Path | str | None
    """A file, a device ("" is the first one), or None where the mode has no camera."""
    microphone: Path | str | None
    """A file, a device ("" is the default one), or None where nothing is heard."""
    outputs: tuple[str, ...]
    offline: bool
    duration_ns: int
    """Of the shortest file that drives the face; 0 with devices."""
    left_out: str = ""
    """What the run has no use for of a longer file, in one line; empty if nothing."""

    @property
    def frames(self) -> int:
        """Pictures of an offline run."""
        return max(1, round(self.duration_ns * self.config.fps / 1e9))

    @property
    def listens(self) -> bool:
        """Whether sound drives the mouth."""
        return self.config.mode != "video"


def make_plan(config: Run, virtual_cameras: Collection[str]) -> Plan:
    """Checks settings, files and outputs; `virtual_cameras` decides the default output.

    Raises:
        InputError: with the first thing that is wrong and how to mend it.
    """
    try:
        return _plan(config, virtual_cameras)
    except OSError as error:  # of looking at a name that is too long, or into a folder that is closed
        raise InputError(f"{error.filename}: {(error.strerror or str(error)).lower()}; give another name") from None
    except RuntimeError as error:  # links in a circle, before Python 3.13
        raise InputError(f"{error}; give another name") from None


def _plan(config: Run, virtual_cameras: Collection[str]) -> Plan:
    size = parse_size(config.size)
    if not 1 <= config.fps <= 120:
        raise InputError(f"--fps {config.fps}: give 1 to 120")
    if config.metrics_port is not None and not 0 <= config.metrics_port <= 65_535:
        raise InputError(f"--metrics-port {config.metrics_port}: give 0 to 65535")
    if config.webrtc_port is not None and not 0 <= config.webrtc_port <= 65_535:
        raise InputError(f"--webrtc-port {config.webrtc_port}: give 0 to 65535")
    if not 1 <= config.webrtc_viewers <= 64:
        raise InputError(f"--webrtc-viewers {config.webrtc_viewers}: give 1 to 64")
    if config.seed < 0:
        raise InputError(f"--seed {config.seed}: give 0 or more")
    for option, value, most in (
        ("--mouth-amplitude", config.mouth_amplitude, 1.5),
        ("--temperature", config.temperature, 1.5),
        ("--liveliness", config.liveliness, 2.0),
        ("--blinks", config.blinks, 3.0),
    ):
        if not 0 <= value <= most:
            raise InputError(f"{option} {value:g}: give 0 to {most:g}")
    if config.realtime and config.offline:
        raise InputError("--realtime and --offline exclude each other: give one of them")
    _check_names(config)
    if not config.portrait.exists():
        raise InputError(f"--portrait {config.portrait}: no such file")
    if config.portrait.is_dir():
        raise InputError(f"--portrait {config.portrait} is a folder; give a picture file")
    if config.mode == "audio" and config.camera is not None:
        raise InputError("--camera has no use in --mode audio: leave it out, or give --mode video or both")
    if config.mode == "audio" and config.motion != "relative":
        raise InputError("--motion has no use in --mode audio: leave it out, or give --mode video or both")
    if config.mode == "audio" and config.mouth != "painted":
        raise InputError("--mouth driver has no use in --mode audio: leave it out, or give --mode video or both")
    if config.engine != "talk3d" and config.person:
        raise InputError(f"--person {config.person}: the engine {config.engine} draws the portrait: leave --person out")
    if config.engine != "builtin" and config.mouth != "painted":
        raise InputError(
            f"the engine {config.engine} draws its own mouth: leave --mouth driver out, or use --engine builtin"
        )
    if config.engine not in ("builtin", "small") and config.background == "transparent":
        raise InputError(
            f"the engine {config.engine} draws no transparent pictures: choose another background, or --engine builtin"
        )
    check_background(config.background)
    look = cache(probe)
    camera = None if config.mode == "audio" else parse_input(config.camera or "")
    microphone = _microphone(config, camera, look)
    if isinstance(camera, Path) and not look(camera).has_video:
        raise InputError(f"--camera {camera} has no pictures; give a video file")
    if isinstance(camera, Path) and look(camera).is_still:
        raise InputError(f"--camera {camera} {STILL}")
    if isinstance(microphone, Path) and not look(microphone).has_sound:
        raise InputError(f"--microphone {microphone} has no sound; give a file with speech")
    outputs = config.output or (("virtual-camera",) if virtual_cameras else ("preview",))
    _check_outputs(config, outputs, [path for path in (camera, microphone) if isinstance(path, Path)])
    durations_ns = {f"--camera {camera}": look(camera).pictures_ns} if isinstance(camera, Path) else {}
    if isinstance(microphone, Path) and config.mode != "video":
        durations_ns[f"--microphone {microphone}" if config.microphone else f"the sound of {microphone}"] = look(
            microphone
        ).duration_ns
    only_files = not any(isinstance(device, str) for device in (camera, microphone))
    can_be_offline = only_files and all(map(is_file_output, outputs))
    if config.offline and not can_be_offline:
        raise InputError("--offline needs files as inputs and only files as outputs")
    offline = can_be_offline and not config.realtime
    if offline and config.metrics_port is not None:
        raise InputError("--metrics-port has no use in an offline run: leave it out, or give --realtime")
    shortest_ns = min(durations_ns.values(), default=0)
    return Plan(config, size, camera, microphone, outputs, offline, shortest_ns, _left_out(durations_ns))


def _left_out(durations_ns: Mapping[str, int]) -> str:
    """Of files of two lengths, what is not used, where that is heard or seen."""
    if not durations_ns:
        return ""
    shorter, longer = min(durations_ns, key=durations_ns.__getitem__), max(durations_ns, key=durations_ns.__getitem__)
    if durations_ns[longer] - durations_ns[shorter] < _NOTICED_NS:
        return ""
    return (
        f"the run ends with {shorter} after {durations_ns[shorter] / 1e9:.1f} s; {longer} lasts "
        f"{durations_ns[longer] / 1e9:.1f} s and is cut"
    )


def _check_names(config: Run) -> None:
    """Raises InputError for names that can be no file's and no device's."""
    named = (
        ("--portrait", str(config.portrait)),
        ("--profile", str(config.profile or "")),
        ("--background", config.background),
        ("--camera", config.camera or ""),
        ("--microphone", config.microphone or ""),
    )
    for option, name in named:
        if found := _ADDRESS.match(name):
            address = f"{found[1]}//{name[found.end() :].lstrip('/')}"
            raise InputError(f"{option} {address} is an address; download it first, and give the file")
    if _NEGATIVE.fullmatch(config.camera or ""):
        raise InputError(f"--camera {config.camera}: cameras count from 0; agent devices lists them")
    if "" in config.output:
        raise InputError(f"--output is empty: {_OUTPUTS}")


def parse_input(name: str) -> Path | str:
    """A path where `name` is, or looks like, a media file; else a device: a number, a device file or a name."""
    path = Path(name)
    if not name or name.isdigit() or name.startswith("/dev/") or path.is_char_device():
        return name
    looks_like_one = path.suffix.lower() in _MEDIA_SUFFIXES or name.startswith(("/", "./", "../"))
    return path if looks_like_one or path.exists() else name


def is_file_output(name: str) -> bool:
    """Whether an output is a file, not a device or a page."""
    kind = name.partition(":")[0]
    return name not in ("preview", "webrtc") and kind not in ("virtual-camera", "virtual-microphone", "whip")


def is_loudspeaker(name: str) -> bool:
    """Whether an output is what the user hears: for calls only, whose voice is somebody else's."""
    return name.partition(":")[0] == LOUDSPEAKER


def is_virtual_microphone(name: str) -> bool:
    """Whether an output carries sound only."""
    return name.partition(":")[0] == "virtual-microphone"


def is_webrtc(name: str) -> bool:
    """Whether an output carries pictures and sound by WebRTC."""
    return name == "webrtc" or name.startswith("whip:")


def _microphone(config: Run, camera: Path | str | None, look: Callable[[Path], MediaInfo]) -> Path | str | None:
    """What is heard: what was named, else the sound of a clip that acts as camera, else the default device."""
    if config.microphone is not None:
        return parse_input(config.microphone)
    if isinstance(camera, Path) and look(camera).has_sound:
        return camera
    heard = any(is_virtual_microphone(name) or is_webrtc(name) for name in config.output)
    return None if config.mode == "video" and not heard else ""


def _check_outputs(config: Run, outputs: tuple[str, ...], inputs: list[Path]) -> None:
    """Every file that will be written can be, and is none of those that are read."""
    taken = {path.resolve(): "is an input" for path in (*inputs, config.portrait, Path(config.background))}
    if config.profile is not None:
        taken[config.profile.resolve()] = "is an input"
    written = [("--output", Path(name)) for name in outputs if is_file_output(name)]
    for option, path in written:
        if path.suffix.lower() not in EXTENSIONS:
            raise InputError(f"{option} {path}: {_OUTPUTS}")
    if config.background == "transparent":
        _check_transparent(outputs)
    if config.report is not None:
        written.append(("--report", config.report))
    for option, path in written:
        folder = path.resolve().parent  # a link is written through
        if not folder.is_dir():
            raise InputError(f"{option} {path}: the folder {folder} does not exist; make it first")
        if path.is_dir():
            raise InputError(f"{option} {path} is a folder; give the name of a file")
        makes_a_file = option == "--output" or not path.exists()
        if makes_a_file and not _takes_files(folder):
            raise InputError(f"{option} {path}: the folder {folder} cannot be written to; choose another")
        if path.exists() and not os.access(path, os.W_OK):
            raise InputError(f"{option} {path} cannot be written to; choose another name")
        if path.resolve() in taken:
            raise InputError(f"{option} {path} {taken[path.resolve()]}; choose another name")
        taken[path.resolve()] = "is given twice"
    if all(map(is_virtual_microphone, outputs)):
        raise InputError("a virtual microphone goes with a picture: give --output virtual-camera, or preview, too")
    if len(set(outputs)) < len(outputs):
        raise InputError("an --output is given twice; give each once")


def _takes_files(folder: Path) -> bool:
    """Whether files can be made there, which rights alone do not tell: the disk may be read-only."""
    try:
        with TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _check_transparent(outputs: tuple[str, ...]) -> None:
    for name in outputs:
        if not is_file_output(name) or Path(name).suffix.lower() not in TRANSPARENT_EXTENSIONS:
            kinds = " or ".join(TRANSPARENT_EXTENSIONS)
            raise InputError(f"{name} cannot be transparent; give --output a file ending in {kinds} only")
