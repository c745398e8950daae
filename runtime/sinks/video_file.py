"""A video file: every picture at its exact instant, with the sound that belongs to it."""

import logging
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median_low
from typing import ClassVar

import av
import numpy as np
from av.audio import AudioStream
from av.video import VideoStream
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from jaxtyping import UInt8

from models.errors import AgentError, InputError
from models.portrait import Pixels
from runtime.picture import Picture
from runtime.sinks.codecs import Codecs, codecs_for
from runtime.sinks.partial import Partial, cause, is_playable
from runtime.sinks.sound_line import RATE_HZ, SoundLine
from runtime.sound import Sound

logger = logging.getLogger(__name__)

_TICK = Fraction(1, 90_000)  # every usual frame rate is a whole number of these
_THREADS = 4  # fixed: the number of threads changes what x264 and libvpx write
_DELAY_PICTURES = 25
_DELAY_TICKS = round(8 / _TICK)  # less than a container waits for a stream that stays away
_MAX_LAG = 2 * RATE_HZ  # live, sound that comes later than this is silence
_KEY_TICKS = round(2 / _TICK)  # live, from one key frame to the next; a killed run loses about as much


class VideoFile:
    """Writes pictures of one size, and sound if there is any, to .mp4, .mov, .mkv or .webm.

    The file begins at the `due_ns` of the first picture and ends one frame after that of the last; in between
    a picture stays until the next. Sound captured at `p` is heard with the picture whose `motion.pts_ns` is
    `p`: live, that is later by the median of `due_ns - motion.pts_ns` over the first 25 pictures that a driver
    moved (over those of the first 8 s, if they are fewer); otherwise the two are taken to be the same. Sound
    may run ahead of the pictures by a minute; live, it may be late by two seconds, and a drifting clock is
    followed. The same pictures and sound always make the same bytes.

    Everything goes to `.NAME.partial.EXT` beside the target, which takes its place at `close`. Of a run that
    failed, `NAME.partial.EXT` remains; so it does of one that was killed, at the latest when the next begins.
    """

    shows: ClassVar[bool] = True

    def __init__(
        self,
        path: Path,
        fps: float,
        size: tuple[int, int],
        *,
        live: bool,
        sound: bool,
        transparent: bool = False,
    ) -> None:
        """Opens the file for pictures of `size` (width, height; even, px) at `fps`; `transparent` ones are RGBA.

        Raises InputError for an extension, a folder or a size that cannot be written, and for a file that another
        agent is writing.
        """
        codecs = codecs_for(path, transparent)
        _check(path, size)
        self.name = str(path)
        self._path = path
        self._transparent = transparent
        self._live = live
        self._size = size
        self._frame_ticks = round(1 / (Fraction(fps).limit_denominator(1001) * _TICK))
        self._delays_ns: list[int] = []
        self._delay_ns = None if live else 0
        self._first_due_ns: int | None = None
        self._end_tick = 0
        self._key_tick: int | None = None
        self._written_samples = 0
        self._closed = False
        self._completed: Path | None = None
        self._error: AgentError | None = None
        self._line = SoundLine(follow_drift=live)
        self._reformatter = VideoReformatter()
        self._partial = Partial(path)
        try:
            options = {"fflags": "+bitexact", **(codecs.live_options if live else {})}
            self._container = av.open(str(self._partial.path), "w", options=options)
            self._video = self._open_video(codecs, fps)
            self._audio = self._open_audio(codecs) if sound else None
        except BaseException as error:
            self._partial.discard()
            if isinstance(error, OSError | av.FFmpegError | ValueError):  # ValueError: no such codec here
                reason = f"Cannot write {path}: {cause(error)}. Choose another size or kind of file."
                raise InputError(reason) from error
            raise

    def _open_video(self, codecs: Codecs, fps: float) -> VideoStream:
        rate = Fraction(fps).limit_denominator(1001)
        stream = self._container.add_stream(codecs.video, rate=rate, options=codecs.video_options)
        assert isinstance(stream, VideoStream)
        stream.time_base = _TICK
        context = stream.codec_context
        context.width, context.height = self._size
        context.pix_fmt = codecs.pixel_format
        context.time_base = _TICK
        context.thread_count = _THREADS
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.open()
        return stream

    def _open_audio(self, codecs: Codecs) -> AudioStream:
        stream = self._container.add_stream(codecs.audio, rate=RATE_HZ, layout="stereo", bit_rate=160_000)
        assert isinstance(stream, AudioStream)
        stream.codec_context.format = "fltp" if codecs.audio == "aac" else "flt"
        stream.codec_context.open()
        return stream

    @property
    def delay_ns(self) -> int | None:
        """By how much the sound is heard later than it was captured; None until that is known."""
        return self._delay_ns

    @property
    def completed(self) -> Path | None:
        """The file, once `close` has put it in its place; None before, and where the run failed."""
        return self._completed

    def send(self, picture: Picture) -> None:
        """Appends one picture.

        Raises ValueError for another size or an instant not behind the last one's, AgentError when the disk
        is full or the encoder fails.
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

    def close(self, complete: bool = True) -> None:
        """Completes the file and moves it to its place. Without any picture the target stays as it was.

        After a run that failed (`complete` is false) the target stays as it was too, and what was made is
        kept beside it. So it is if writing fails or has failed; then AgentError is raised.
        """
        if self._closed:
            return
        self._closed = True
        if self._first_due_ns is None:
            self._attempt(self._container.close)
            self._partial.discard()
            return
        if self._error is None:  # libav crashes where it goes on with a file whose head it could not write
            self._attempt(self._finish)
        self._attempt(self._container.close)
        if complete and self._error is None:
            self._attempt(self._replace_target)
        if self._completed is None:
            torn = "" if is_playable(self._partial.path) else ", but players cannot open it: its index is missing"
            logger.warning("%s is not finished; what was made is in %s%s", self._path, self._partial.keep(), torn)
        if self._error is not None:
            raise self._error

    def _attempt(self, step: Callable[[], object]) -> None:
        """Does a step of closing; what goes wrong first is remembered and stops no other step."""
        try:
            step()
        except (OSError, av.FFmpegError) as error:
            self._fail(error)
        except AgentError:
            pass  # remembered already

    def _fail(self, error: Exception) -> AgentError:
        failure = AgentError(f"Cannot go on writing {self._path}: {cause(error)}.")
        failure.__cause__ = error
        self._error = self._error or failure
        return failure

    def _replace_target(self) -> None:
        self._partial.replace_target()
        self._completed = self._path

    def _finish(self) -> None:
        if self._delay_ns is None:
            self._delay_ns = self._median_delay_ns()
        self._line.finish()
        self._encode_sound(final=True)
        self._mux(self._video, None)
        if self._audio is not None:
            self._mux(self._audio, None)

    def _learn_delay(self, picture: Picture) -> None:
        if self._delay_ns is not None:
            return
        if picture.motion.pts_ns != picture.due_ns:  # else nobody moved it: it has no age
            self._delays_ns.append(picture.due_ns - picture.motion.pts_ns)
        if len(self._delays_ns) == _DELAY_PICTURES or self._end_tick >= _DELAY_TICKS:
            self._delay_ns = self._median_delay_ns()

    def _median_delay_ns(self) -> int:
        return median_low(self._delays_ns) if self._delays_ns else 0

    def _encode_picture(self, picture: Picture, tick: int) -> None:
        image = _with_alpha(picture.image) if self._transparent else picture.image
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(image, "rgba" if self._transparent else "rgb24"),
            format=self._video.codec_context.pix_fmt,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation="AREA",
        )
        frame.pts, frame.time_base = tick, _TICK
        if self._live and (self._key_tick is None or tick + self._frame_ticks > self._key_tick + _KEY_TICKS):
            frame.pict_type, self._key_tick = PictureType.I, tick
        self._mux(self._video, frame)

    def _encode_sound(self, *, final: bool) -> None:
        """Encodes what is heard before the end of the last picture; `final` fills up with silence.

        Live, so is sound that is late, and after a standstill silence is made up for bit by bit.
        """
        if self._audio is None or self._first_due_ns is None or self._delay_ns is None:
            return
        origin = self._line.position(self._first_due_ns - self._delay_ns)
        ready = round(self._end_tick * _TICK * RATE_HZ)
        if not final:
            heard = self._line.end - origin if self._line.end is not None else 0
            if self._live:
                heard = max(heard, ready - _MAX_LAG)
                ready = min(ready, self._written_samples + _MAX_LAG)
            ready = min(ready, heard)
        size = self._audio.codec_context.frame_size
        while (count := min(size, ready - self._written_samples)) == size or (final and count > 0):
            samples = self._line.read(origin + self._written_samples, count)
            if self._audio.codec_context.format.is_packed:
                samples = samples.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples), self._audio.codec_context.format.name, "stereo"
            )
            frame.sample_rate, frame.pts = RATE_HZ, self._written_samples
            frame.time_base = Fraction(1, RATE_HZ)
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
        except (OSError, av.FFmpegError) as error:
            raise self._fail(error) from error


def _check(path: Path, size: tuple[int, int]) -> None:
    """Raises InputError where no such file can be made."""
    if path.is_dir():
        raise InputError(f"{path} is a folder: choose the name of a file.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}: make it first, or choose another.")
    if size[0] % 2 or size[1] % 2:
        raise InputError(f"A video cannot be {size[0]}×{size[1]} px: choose an even size, such as 512.")


def _with_alpha(image: Pixels) -> UInt8[np.ndarray, "h w 4"]:
    """RGBA; a picture without alpha is opaque."""
    return image if image.shape[2] == 4 else np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
