"""Pictures and sound from media files, decoded in order and at any speed the consumer likes."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import Float32, UInt8

from models.errors import InputError
from runtime.frame import Frame
from runtime.sound import Sound

_log = logging.getLogger(__name__)

_GAP_S = Fraction(1, 50)
"""Time stamps that differ by less come from a container that rounds them, not from missing sound."""
_MISSING_S = Fraction(1, 2)
"""A file that ends so much earlier than it announces was cut short."""
_STILL = ("_pipe", "image2")  # how FFmpeg calls the formats of picture files
_UNREADABLE = "is not a sound or video file, or it is damaged: try to play it, or export it again"


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a media file holds."""

    duration_ns: int
    """Of the longest stream, as the file announces it: exact for uncompressed sound, else within milliseconds."""
    pictures_ns: int
    """Duration of the pictures where the file announces it apart, else `duration_ns`; 0 without pictures."""
    fps: float | None
    """Mean pictures per second; None without pictures."""
    width: int
    """Pixels as shown, rotation applied; 0 without pictures."""
    height: int
    """Pixels as shown, rotation applied; 0 without pictures."""
    has_video: bool
    """At least one picture can be decoded; cover art does not count."""
    has_sound: bool
    """At least one sample can be decoded."""
    is_still: bool
    """It is a picture file, such as a photo, not a video."""
    origin_s: Fraction
    """Stream time of the first picture or sample, whichever is earlier: instant 0 of both sources."""


def probe(path: Path) -> MediaInfo:
    """Reads the headers and the first picture and sample.

    Raises InputError if `path` is missing, a folder, not a media file, or holds neither picture nor sound.
    """
    with _opened(path) as container:
        picture, sound = _picture_stream(container), _sound_stream(container)
        wanted = [s for s in (picture, sound) if s is not None]
        if not wanted:
            raise InputError(f"{path} holds neither picture nor sound")
        firsts: dict[int, VideoFrame | AudioFrame] = {}
        for stream_index, frame in _decoded(container, wanted):
            firsts.setdefault(stream_index, frame)
            if len(firsts) == len(wanted):
                break
        if not firsts:
            raise InputError(f"{path} is empty or damaged: neither picture nor sound can be read from it")
        first_picture = firsts.get(picture.index) if picture is not None else None
        origin_s = min(_time_s(frame) or Fraction(0) for frame in firsts.values())
        fps, width, height = None, 0, 0
        if picture is not None and isinstance(first_picture, VideoFrame):
            height, width = _Upright()(first_picture).shape[:2]
            fps = float(picture.average_rate or picture.guessed_rate or 25)
        duration_s = _announced_s(container, wanted, origin_s) or _scanned_s(path, origin_s)
        pictures_s = duration_s
        if picture is not None and picture.duration and picture.time_base:
            pictures_s = ((picture.start_time or 0) + picture.duration) * picture.time_base - origin_s
        return MediaInfo(
            duration_ns=_ns(duration_s),
            pictures_ns=_ns(pictures_s) if first_picture is not None else 0,
            fps=fps,
            width=width,
            height=height,
            has_video=first_picture is not None,
            has_sound=sound is not None and sound.index in firsts,
            is_still=container.format.name.endswith(_STILL),
            origin_s=origin_s,
        )


class ClipFrames:
    """Every picture of a file, in order and upright; `pts_ns` counts from its first picture or sample."""

    lost: ClassVar[int] = 0
    """A file waits for its reader."""

    def __init__(self, path: Path, alone: bool = False) -> None:
        """Raises InputError as `probe` does, and if the file holds no pictures.

        `alone`: only those that are decoded without others (key frames), for a quick look.
        """
        self.info = probe(path)
        if not self.info.has_video:
            raise InputError(f"{path} holds no pictures: give a video file")
        self._path, self._alone = path, alone
        self._stop = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        """Yields from the start of the file; a damaged or truncated file gives what can be decoded."""
        with _opened(self._path) as container:
            stream = container.streams.video[_picture_stream_number(container)]
            stream.thread_type = "AUTO"
            if self._alone:
                stream.codec_context.skip_frame = "NONKEY"
            step_s = 1 / Fraction(self.info.fps or 25).limit_denominator(1001)
            last_s = -step_s
            upright = _Upright()
            for _, frame in _decoded(container, [stream], self._path):
                if self._stop.is_set():
                    return
                time_s = _time_s(frame)
                time_s = last_s + step_s if time_s is None else time_s - self.info.origin_s
                if isinstance(frame, VideoFrame) and time_s > last_s:
                    yield Frame(upright(frame), _ns(time_s))
                    last_s = time_s

    def close(self) -> None:
        """Ends the iterator before its next picture."""
        self._stop.set()


class ClipSound:
    """The first sound track of a file in blocks of at most 20 ms, without gaps from instant 0 on.

    Rate and channels are the file's own. What the file leaves out is silence: `pts_ns` always equals the
    samples so far divided by the rate. A change of rate within the file starts a new count.
    """

    lost: ClassVar[int] = 0
    """A file waits for its reader."""

    def __init__(self, path: Path) -> None:
        """Raises InputError as `probe` does, and if the file holds no sound."""
        self.info = probe(path)
        if not self.info.has_sound:
            raise InputError(f"{path} holds no sound: give a file with speech")
        self._path = path
        self._stop = threading.Event()

    def __iter__(self) -> Iterator[Sound]:
        """Yields from the start of the file; a damaged or truncated file gives what can be decoded."""
        with _opened(self._path) as container:
            rate_hz, start_s, count, gap_s = 0, Fraction(0), 0, Fraction(0)
            for _, frame in _decoded(container, [container.streams.audio[0]], self._path):
                if not isinstance(frame, AudioFrame):
                    continue
                samples = _samples(frame)
                if frame.sample_rate != rate_hz:
                    start_s += Fraction(count, rate_hz or 1)
                    rate_hz, count = frame.sample_rate, 0
                time_s = _time_s(frame)
                missing_s = Fraction(0)
                if time_s is not None:
                    missing_s = time_s - self.info.origin_s - start_s - Fraction(count, rate_hz)
                if missing_s > gap_s:
                    silence = np.zeros((round(missing_s * rate_hz), samples.shape[1]), np.float32)
                    samples = np.concatenate([silence, samples])
                gap_s = _GAP_S  # only the first sample's instant is taken to the letter
                for block in _blocks(samples, rate_hz):
                    if self._stop.is_set():
                        return
                    yield Sound(block, rate_hz, _ns(start_s + Fraction(count, rate_hz)))
                    count += len(block)

    def close(self) -> None:
        """Ends the iterator before its next block."""
        self._stop.set()


def _opened(path: Path) -> InputContainer:
    """The file's container. Raises InputError with the reason."""
    if not path.exists():
        raise InputError(f"no such file: {path}")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a sound or video file")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes): record or export it again")
    try:  # the prefix keeps FFmpeg from reading a colon in the name as a protocol
        container = av.open(f"file:{path}")
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: permission denied") from error
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError(f"{path} {_UNREADABLE}") from error
    if container.format.name == "tty":  # FFmpeg would draw a text file, letter by letter
        container.close()
        raise InputError(f"{path} {_UNREADABLE}")
    return container


def _picture_stream_number(container: InputContainer) -> int:
    """Number among the video streams of the first that is not cover art; -1 if there is none."""
    for number, stream in enumerate(container.streams.video):
        if not stream.disposition & Disposition.attached_pic:
            return number
    return -1


def _picture_stream(container: InputContainer) -> VideoStream | None:
    number = _picture_stream_number(container)
    return container.streams.video[number] if number >= 0 else None


def _sound_stream(container: InputContainer) -> AudioStream | None:
    return container.streams.audio[0] if container.streams.audio else None


def _decoded(
    container: InputContainer, streams: list[VideoStream | AudioStream], noting: Path | None = None
) -> Iterator[tuple[int, VideoFrame | AudioFrame]]:
    """Stream index and frame of whatever can be decoded; the log says if `noting` is damaged or cut short."""
    wanted = {stream.index for stream in streams}
    # Where streams do not say how long they are, the file's own length is that of the longest, wanted or not.
    counted = wanted if _ends_s(streams) else {stream.index for stream in container.streams}
    packets = container.demux()
    damaged, end_s = 0, Fraction(0)
    while True:
        try:
            packet = next(packets)
            frames = packet.decode() if packet.stream.index in wanted else []
        except StopIteration:
            break
        except av.error.FFmpegError:
            damaged += 1
            continue
        if packet.stream.index in counted:
            end_s = max(end_s, _end_s(packet) or end_s)
        for frame in frames:
            if isinstance(frame, VideoFrame | AudioFrame):
                yield packet.stream.index, frame
    if noting is not None and damaged:
        _log.warning("%s is damaged: %d of its packets could not be decoded", noting, damaged)
    announced_s = _announced_s(container, streams)
    if noting is not None and (_riff_cut_short(noting) or (announced_s and announced_s - end_s > _MISSING_S)):
        _log.warning("%s is truncated: it ends after %.2f s", noting, end_s)


def _riff_cut_short(path: Path) -> bool:
    """True if a WAV or AVI file is shorter than its header says (FFmpeg corrects the duration silently)."""
    with path.open("rb") as file:
        head = file.read(8)
    announced = int.from_bytes(head[4:8], "little")
    streamed = announced in (0, 0xFFFFFFFF)  # written to a pipe: the length was not known
    return head[:4] == b"RIFF" and not streamed and announced + 8 > path.stat().st_size


def _announced_s(
    container: InputContainer, streams: list[VideoStream | AudioStream], origin_s: Fraction = Fraction(0)
) -> Fraction | None:
    """What the headers say of the last end of `streams`, from `origin_s`; of the file where streams do not say."""
    ends_s = _ends_s(streams)
    if ends_s:
        return max(ends_s) - origin_s
    if not container.duration:
        return None
    length_s = Fraction(container.duration, av.time_base)
    return length_s - origin_s if "matroska" in container.format.name else length_s  # Matroska tells its end


def _ends_s(streams: list[VideoStream | AudioStream]) -> list[Fraction]:
    """What the headers say of the end of each stream; empty if they leave out one."""
    ends_s = [((s.start_time or 0) + s.duration) * s.time_base for s in streams if s.duration and s.time_base]
    return ends_s if len(ends_s) == len(streams) else []


def _scanned_s(path: Path, origin_s: Fraction) -> Fraction:
    """Duration found by reading all packets, for files that do not announce one (browser recordings)."""
    with _opened(path) as container:
        ends_s = [end_s for packet in container.demux() if (end_s := _end_s(packet)) is not None]
        if ends_s:
            return max(ends_s) - origin_s
    with _opened(path) as container:  # a bare stream without time stamps
        stream = container.streams[0]
        count = sum(1 for packet in container.demux(stream) if packet.size)
        rate = stream.average_rate if isinstance(stream, VideoStream) else None
        return count / Fraction(rate or 25)


def _end_s(packet: Packet) -> Fraction | None:
    """Instant at which a packet ends, None if it does not say."""
    if packet.pts is None or packet.time_base is None:
        return None
    return (packet.pts + (packet.duration or 0)) * packet.time_base


def _time_s(frame: VideoFrame | AudioFrame) -> Fraction | None:
    """Stream time of a frame."""
    if frame.pts is None or frame.time_base is None:
        return None
    return frame.pts * frame.time_base


def _ns(time_s: Fraction) -> int:
    return round(time_s * 1_000_000_000)


class _Upright:
    """Frames of one clip -> RGB as a player shows it: the display matrix (a phone held upright) is applied.

    It leaves nothing for Python's collector of cycles, which would come too late: a frame's own reformatter starts
    threads, and its side data, asked for, keeps it; so only the first frame is asked.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._turn: tuple[bool, int, int] | None = None

    def __call__(self, frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
        rgb = self._reformatter.reformat(frame, format="rgb24", threads=1)
        image = np.ascontiguousarray(rgb.to_ndarray())  # lines may be padded
        if self._turn is None:
            self._turn = _turn(frame)
        transposed, down, right = self._turn
        return np.ascontiguousarray((image.transpose(1, 0, 2) if transposed else image)[::down, ::right])


def _turn(frame: VideoFrame) -> tuple[bool, int, int]:
    """Whether rows are shown as columns, and then the steps (1 or -1) through rows and columns."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # beside it lies something that the library does not know yet, as in JPEG files
        return False, 1, 1
    if not isinstance(matrix, SideData):
        return False, 1, 1
    # Row vectors: a source point (x, y) is shown at (a x + c y, b x + d y), x to the right and y down.
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(matrix), np.int32)[:5])
    transposed = abs(b) > abs(a)
    if transposed:
        a, d = c, b
    return transposed, -1 if d < 0 else 1, -1 if a < 0 else 1


def _samples(frame: AudioFrame) -> Float32[np.ndarray, "n channels"]:
    """Samples of any format as floats, -1..1."""
    raw: np.ndarray = frame.to_ndarray()
    raw = raw.T if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels)
    if raw.dtype == np.uint8:
        raw = (raw.astype(np.float32) - 128) / 128
    elif raw.dtype.kind == "i":
        raw = raw / float(2 ** (8 * raw.itemsize - 1))
    return np.clip(np.nan_to_num(raw), -1, 1).astype(np.float32)  # a file may hold anything


def _blocks(samples: Float32[np.ndarray, "n channels"], rate_hz: int) -> Iterator[Float32[np.ndarray, "m channels"]]:
    """Blocks of nearly equal length, 20 ms at most."""
    count = -(-len(samples) * 50 // rate_hz)
    for block in np.array_split(samples, max(count, 1)):
        yield np.ascontiguousarray(block)
