"""Encoders of pictures and sound for RTP, each with one fixed bitrate: VP8, H.264 and Opus."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, assert_never

import av
import numpy as np
from av.video.frame import PictureType
from jaxtyping import Float32, UInt8

VideoCodec = Literal["VP8", "H264"]

SOUND_HZ = 48_000
SOUND_BLOCK = 960
"""Samples of a packet: 20 ms."""

_VIDEO_HZ = 90_000
_SOUND_BPS = 32_000
_FOREVER = 100_000  # pictures between key pictures: whoever needs one asks


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture or a block of sound, ready to be cut into RTP packets."""

    packet: av.Packet
    is_key: bool
    """Whether nothing before it is needed."""


class VideoEncoder:
    """Pictures of one size at one rate. One thread uses it."""

    def __init__(self, codec: VideoCodec, size: tuple[int, int], fps: int, rate_bps: int) -> None:
        match codec:
            case "VP8":
                self._context = _context("libvpx", size, fps, rate_bps)
                self._context.qmin, self._context.qmax = 4, 58
                self._context.options = {
                    "deadline": "realtime",
                    "cpu-used": "-6",
                    "lag-in-frames": "0",
                    "minrate": str(rate_bps),
                    "maxrate": str(rate_bps),
                    "bufsize": str(rate_bps * 6 // 10),
                    "undershoot-pct": "100",
                    "overshoot-pct": "15",
                    "max-intra-rate": "600",  # a key picture takes the bits of six others at most
                    "static-thresh": "1",
                }
            case "H264":
                self._context = _context("libx264", size, fps, rate_bps)
                self._context.profile = "Baseline"
                self._context.options = {
                    "preset": "veryfast",
                    "tune": "zerolatency",
                    "maxrate": str(rate_bps),
                    "bufsize": str(rate_bps * 3 // 10),
                }
            case _:
                assert_never(codec)

    def encode(self, i420: UInt8[np.ndarray, "n w"], instant_ns: int, key: bool) -> Encoded | None:
        """One picture, that is shown at an instant of the stream; None if the encoder leaves it out."""
        frame = av.VideoFrame.from_ndarray(i420, "yuv420p")
        frame.pts, frame.time_base = _ticks(instant_ns, _VIDEO_HZ), Fraction(1, _VIDEO_HZ)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        packets = self._context.encode(frame)
        data = b"".join(map(bytes, packets))
        if not data:
            return None
        is_key = any(packet.is_keyframe for packet in packets)
        return Encoded(_packet(data, frame.pts, _VIDEO_HZ), is_key)


class SoundEncoder:
    """Speech, mono. One thread uses it."""

    def __init__(self) -> None:
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, av.AudioCodecContext)
        context.bit_rate, context.sample_rate = _SOUND_BPS, SOUND_HZ
        context.format, context.layout = av.AudioFormat("flt"), av.AudioLayout("mono")
        context.time_base = Fraction(1, SOUND_HZ)
        context.options = {"application": "voip", "frame_duration": "20", "fec": "1", "packet_loss": "10"}
        self._context = context

    def encode(self, samples: Float32[np.ndarray, "960 2"], instant_ns: int) -> Encoded:
        """A block that is heard from an instant of the stream on."""
        mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32)[None])
        frame = av.AudioFrame.from_ndarray(mono, "flt", "mono")
        frame.sample_rate, frame.pts = SOUND_HZ, None
        data = b"".join(map(bytes, self._context.encode(frame)))
        return Encoded(_packet(data, _ticks(instant_ns, SOUND_HZ), SOUND_HZ), True)


def _context(name: str, size: tuple[int, int], fps: int, rate_bps: int) -> av.VideoCodecContext:
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt, context.bit_rate, context.gop_size = "yuv420p", rate_bps, _FOREVER
    context.framerate, context.time_base = Fraction(fps), Fraction(1, _VIDEO_HZ)
    context.thread_count = 1
    return context


def _packet(data: bytes, pts: int, rate_hz: int) -> av.Packet:
    packet = av.Packet(data)
    packet.pts, packet.time_base = pts, Fraction(1, rate_hz)
    return packet


def _ticks(instant_ns: int, rate_hz: int) -> int:
    return round(Fraction(instant_ns * rate_hz, 1_000_000_000))
