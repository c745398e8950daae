"""A video file: every picture at its exact instant, with the sound that belongs to it."""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median_low
from typing import ClassVar

import av
import numpy as np
from av.audio import AudioStream
from av.video import VideoStream
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from jaxtyping import Float32

from models.errors import AgentError, InputError
from runtime.frame import Picture, Sound

_RATE_HZ = 48_000
_TICK = Fraction(1, 90_000)  # every usual frame rate is a whole number of these
_THREADS = 4  # fixed: the number of threads changes what x264 and libvpx write
_DELAY_PICTURES = 25
_MAX_AHEAD = 60 * _RATE_HZ
_MAX_JITTER_NS = 40_000_000  # capture stamps tremble by this much without any sound being lost

_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


@dataclass(frozen=True, slots=True)
class _Codecs:
    """What a container carries."""

    video: str
    video_options: dict[str, str]
    audio: str


_H264 = _Codecs("libx264", {"preset": "veryfast", "crf": "18"}, "aac")
_VP9 = _Codecs("libvpx-vp9", {"crf": "24", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}, "libopus")
_CODECS = {".mp4": _H264, ".mov": _H264, ".mkv": _H264, ".webm": _VP9}

EXTENSIONS = tuple(_CODECS)
"""The file name extensions that `VideoFile` writes."""


class _SoundLine:
    """Sound of any kind laid out on one line of 48 kHz stereo samples; where none was heard, silence.

    Positions are counted from the first sample heard. A minute is kept at most: when more is added than read,
    the oldest is lost.
    """

    def __init__(self) -> None:
        self.end: int | None = None  # position behind the last sample heard; None before the first
        self._epoch_ns = 0
        self._pieces: deque[tuple[int, Float32[np.ndarray, "2 n"]]] = deque()
        self._resampler: av.AudioResampler | None = None
        self._kind = (0, 0)  # rate and channels of the present run of touching blocks
        self._run_ns = 0
        self._run_samples = 0

    def position(self, instant_ns: int) -> int:
        """The sample that lies at an instant of the sound's clock; may be negative."""
        return round(Fraction((instant_ns - self._epoch_ns) * _RATE_HZ, 1_000_000_000))

    def add(self, sound: Sound) -> None:
        """Lays down a block where its `pts_ns` says, or right behind the last one if it nearly touches it."""
        if self.end is None:
            self._epoch_ns, self.end = sound.pts_ns, 0
        kind = (sound.rate_hz, sound.samples.shape[1])
        expected_ns = self._run_ns + round(Fraction(self._run_samples * 1_000_000_000, max(self._kind[0], 1)))
        if kind != self._kind or abs(sound.pts_ns - expected_ns) > _MAX_JITTER_NS:
            self.finish()
            self._kind, self._run_ns, self._run_samples = kind, sound.pts_ns, 0
            self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=_RATE_HZ)
            self.end = self.position(sound.pts_ns)
        if len(sound.samples):
            self._run_samples += len(sound.samples)
            self._lay(_audio_frame(sound))

    def finish(self) -> None:
        """Lays down what the resampler still holds back."""
        if self._run_samples:
            self._lay(None)

    def _lay(self, frame: av.AudioFrame | None) -> None:
        assert self._resampler is not None and self.end is not None
        for out in self._resampler.resample(frame):
            self._pieces.append((self.end, out.to_ndarray().astype(np.float32, copy=False)))
            self.end += out.samples
        while len(self._pieces) > 1 and self.end - self._pieces[0][0] > _MAX_AHEAD:
            self._pieces.popleft()

    def read(self, start: int, count: int) -> Float32[np.ndarray, "2 {count}"]:
        """`count` samples from a position on, -1..1; what lies before their end is then forgotten."""
        out = np.zeros((2, count), np.float32)
        for at, piece in self._pieces:
            first, last = max(at, start), min(at + piece.shape[1], start + count)
            if first < last:
                out[:, first - start : last - start] = piece[:, first - at : last - at]
        while self._pieces and self._pieces[0][0] + self._pieces[0][1].shape[1] <= start + count:
            self._pieces.popleft()
        return out


def _audio_frame(sound: Sound) -> av.AudioFrame:
    """The block for the resampler: one or two channels as stereo, more in their usual layout."""
    samples = sound.samples
    layout = _LAYOUTS.get(samples.shape[1])
    if layout is None:  # an array of microphones has no layout
        samples, layout = samples.mean(axis=1, keepdims=True), "mono"
    if layout == "mono":  # the resampler would make it 3 dB quieter
        samples, layout = np.repeat(samples, 2, axis=1), "stereo"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T, np.float32), "fltp", layout)
    frame.sample_rate = sound.rate_hz
    return frame


class VideoFile:
    """Writes pictures of one size, and sound if there is any, to .mp4, .mov, .mkv or .webm.

    The file begins at the `due_ns` of the first picture and ends one frame after that of the last; in between
    a picture stays until the next. Sound captured at `p` is heard with the picture whose `motion.pts_ns` is
    `p`: live, that is later by the median of `due_ns - motion.pts_ns` over the first 25 pictures; otherwise
    the two are taken to be the same. Sound may run ahead of the pictures by a minute. The same pictures and
    sound always make the same bytes.

    Everything goes to `.NAME.partial.EXT` beside the target, which takes its place at `close`.
    """

    name: ClassVar[str] = "file"

    def __init__(self, path: Path, fps: float, size: tuple[int, int], *, live: bool, sound: bool) -> None:
        """Opens the file for pictures of `size` (width, height; even, px) at `fps`.

        Raises InputError for an extension, a folder or a size that cannot be written.
        """
        codecs = _check(path, size)
        self._path = path
        self._partial = path.with_name(f".{path.stem}.partial{path.suffix}")
        self._size = size
        self._frame_ticks = round(1 / (Fraction(fps).limit_denominator(1001) * _TICK))
        self._delays_ns: list[int] = []
        self._delay_ns = None if live else 0
        self._first_due_ns: int | None = None
        self._end_tick = 0
        self._written_samples = 0
        self._closed = False
        try:
            self._partial.open("wb").close()
        except OSError as error:
            raise InputError(f"Cannot write {path}: {error.strerror}. Choose another place.") from error
        self._container = av.open(str(self._partial), "w", options={"fflags": "+bitexact"})
        self._video = self._open_video(codecs, fps)
        self._audio = self._open_audio(codecs) if sound else None
        self._line = _SoundLine()
        self._reformatter = VideoReformatter()

    def _open_video(self, codecs: _Codecs, fps: float) -> VideoStream:
        rate = Fraction(fps).limit_denominator(1001)
        stream = self._container.add_stream(codecs.video, rate=rate, options=codecs.video_options)
        assert isinstance(stream, VideoStream)
        stream.time_base = _TICK
        context = stream.codec_context
        context.width, context.height = self._size
        context.pix_fmt = "yuv420p"
        context.time_base = _TICK
        context.thread_count = _THREADS
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        return stream

    def _open_audio(self, codecs: _Codecs) -> AudioStream:
        stream = self._container.add_stream(codecs.audio, rate=_RATE_HZ, layout="stereo", bit_rate=160_000)
        assert isinstance(stream, AudioStream)
        stream.codec_context.format = "fltp" if codecs.audio == "aac" else "flt"
        stream.codec_context.open()
        return stream

    @property
    def delay_ns(self) -> int | None:
        """By how much the sound is heard later than it was captured; None until that is known."""
        return self._delay_ns

    def send(self, picture: Picture) -> None:
        """Appends one picture.

        Raises ValueError for another size or an instant not behind the last one's, AgentError when the disk
        is full.
        """
        height, width = picture.image.shape[:2]
        if (width, height) != self._size:
            raise ValueError(f"the file holds {self._size} pictures, not {(width, height)}")
        if self._first_due_ns is None:
            self._first_due_ns = picture.due_ns
        tick = round(Fraction(picture.due_ns - self._first_due_ns, 1_000_000_000) / _TICK)
        if self._end_tick and tick <= self._end_tick - self._frame_ticks:
            raise ValueError("pictures must come in the order of their due_ns")
        self._end_tick = tick + self._frame_ticks
        self._learn_delay(picture)
        self._encode_picture(picture, tick)
        self._encode_sound(final=False)

    def hear(self, sound: Sound) -> None:
        """Takes the next block of sound, any rate and number of channels; ignored if none was announced."""
        if self._audio is not None:
            self._line.add(sound)
            self._encode_sound(final=False)

    def close(self) -> None:
        """Completes the file and moves it to its place. Without any picture the target stays as it was."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._first_due_ns is not None:
                self._finish()
            self._container.close()
        except (OSError, AgentError):
            self._partial.unlink(missing_ok=True)
            raise
        if self._first_due_ns is None:
            self._partial.unlink(missing_ok=True)
        else:
            self._partial.replace(self._path)

    def _finish(self) -> None:
        if self._delay_ns is None:
            self._delay_ns = median_low(self._delays_ns)
        self._line.finish()
        self._encode_sound(final=True)
        self._mux(self._video, None)
        if self._audio is not None:
            self._mux(self._audio, None)

    def _learn_delay(self, picture: Picture) -> None:
        if self._delay_ns is None:
            self._delays_ns.append(picture.due_ns - picture.motion.pts_ns)
            if len(self._delays_ns) == _DELAY_PICTURES:
                self._delay_ns = median_low(self._delays_ns)

    def _encode_picture(self, picture: Picture, tick: int) -> None:
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(picture.image, "rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation="AREA",
        )
        frame.pts, frame.time_base = tick, _TICK
        self._mux(self._video, frame)

    def _encode_sound(self, *, final: bool) -> None:
        """Encodes what is heard before the end of the last picture; `final` fills up with silence."""
        if self._audio is None or self._first_due_ns is None or self._delay_ns is None:
            return
        origin = self._line.position(self._first_due_ns - self._delay_ns)
        ready = round(self._end_tick * _TICK * _RATE_HZ)
        if not final:
            ready = min(ready, self._line.end - origin) if self._line.end is not None else 0
        size = self._audio.codec_context.frame_size
        while (count := min(size, ready - self._written_samples)) == size or (final and count > 0):
            samples = self._line.read(origin + self._written_samples, count)
            if self._audio.codec_context.format.is_packed:
                samples = samples.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples), self._audio.codec_context.format.name, "stereo"
            )
            frame.sample_rate, frame.pts = _RATE_HZ, self._written_samples
            frame.time_base = Fraction(1, _RATE_HZ)
            self._mux(self._audio, frame)
            self._written_samples += count

    def _mux(self, stream: VideoStream | AudioStream, frame: av.VideoFrame | av.AudioFrame | None) -> None:
        """Encodes a frame, None for what the encoder holds back, and writes the packets."""
        try:
            packets = stream.encode(frame)  # type: ignore[arg-type]  # the caller pairs them
            if stream is self._video:
                for packet in packets:
                    packet.duration = round(self._frame_ticks * _TICK / packet.time_base)
            self._container.mux(packets)
        except OSError as error:
            raise AgentError(f"Cannot go on writing {self._path}: {error.strerror}.") from error


def _check(path: Path, size: tuple[int, int]) -> _Codecs:
    """The codecs for `path`. Raises InputError where no such file can be made."""
    codecs = _CODECS.get(path.suffix.lower())
    if codecs is None:
        raise InputError(f"Cannot write {path.name}: choose a name that ends in {', '.join(EXTENSIONS)}.")
    if path.is_dir():
        raise InputError(f"{path} is a folder: choose the name of a file.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}: make it first, or choose another.")
    if size[0] % 2 or size[1] % 2:
        raise InputError(f"A video cannot be {size[0]}×{size[1]} px: choose an even size, such as 512.")
    return codecs
