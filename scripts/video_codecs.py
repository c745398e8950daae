"""Video codecs as calls use them, at a fixed quality, and how coarse that may be for an error."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np

MOST_PAYLOAD = 1200  # bytes of a packet
HEADS = 50  # bytes of a packet: 20 IP, 8 UDP, 12 RTP, 10 SRTP
NEVER = 100_000  # pictures until the next key picture: whoever needs one asks


@dataclass(frozen=True, slots=True)
class Coder:
    """An encoder with settings; `finest` to `coarsest` are its quantisers or its rate factors."""

    name: str
    library: str
    decoder: str
    finest: int
    coarsest: int
    options: dict[str, str]
    rated: bool = True
    """Whether the number is a rate factor; otherwise it is a quantiser."""


LIVE = (
    Coder(
        "VP8", "libvpx", "vp8", 4, 63,
        {"deadline": "realtime", "cpu-used": "4", "lag-in-frames": "0", "auto-alt-ref": "0"}, rated=False,
    ),
    Coder(
        "VP9", "libvpx-vp9", "vp9", 8, 63,
        {"deadline": "realtime", "cpu-used": "5", "lag-in-frames": "0", "aq-mode": "0"},
    ),
    Coder("H.264", "libx264", "h264", 10, 51, {"preset": "medium", "tune": "zerolatency", "refs": "1", "bf": "0"}),
    Coder(
        "AV1", "libsvtav1", "libdav1d", 8, 63,
        {"preset": "8", "svtav1-params": "pred-struct=1:lookahead=0:lp=1"},
    ),
)  # fmt: skip
"""No picture waits for a later one."""

STORED = (
    Coder("VP9, stored", "libvpx-vp9", "vp9", 8, 63, {"deadline": "good", "cpu-used": "2", "lag-in-frames": "25"}),
    Coder("H.264, stored", "libx264", "h264", 10, 51, {"preset": "veryslow"}),
    Coder("AV1, stored", "libsvtav1", "libdav1d", 8, 63, {"preset": "4", "svtav1-params": "lp=1"}),
)
"""What the same codecs need where they may look ahead, as in files: no call can have it."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a quality costs, and how far it is from the truth."""

    kbps: float
    error: float
    first_bytes: int = 0
    """Of the first picture, which alone is a key picture."""
    picture_ms: float = 0.0
    """What the encoder takes for a picture."""


def code(
    coder: Coder, pictures: Sequence[np.ndarray], quality: int, fps: int
) -> tuple[list[np.ndarray], list[int], float]:
    """RGB pictures -> what a decoder shows, bytes by picture, and the encoder's milliseconds a picture."""
    encoder = av.CodecContext.create(coder.library, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width = pictures[0].shape[:2]
    encoder.pix_fmt, encoder.gop_size, encoder.thread_count = "yuv420p", NEVER, 1
    encoder.framerate, encoder.time_base = Fraction(fps), Fraction(1, fps)
    if coder.rated:
        encoder.bit_rate, encoder.options = 0, coder.options | {"crf": str(quality)}
    else:
        encoder.bit_rate, encoder.options = 20_000_000, coder.options
        encoder.qmin = encoder.qmax = quality
    frames = [av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p") for picture in pictures]
    packets: list[av.Packet] = []
    begun_s = time.process_time()
    for k, frame in enumerate(frames):
        frame.pts = k
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    picture_ms = 1e3 * (time.process_time() - begun_s) / len(pictures)
    decoder = av.CodecContext.create(coder.decoder, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    shown = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    sizes = [packet.size for packet in packets]
    return [frame.to_ndarray(format="rgb24") for frame in shown], sizes, picture_ms


def wire_kbps(sizes: Sequence[int], fps: int) -> float:
    """Of pictures of so many bytes each, cut into packets with heads."""
    total = sum(size + HEADS * math.ceil(size / MOST_PAYLOAD) for size in sizes)
    return total * 8 * fps / len(sizes) / 1000


def at_error(measure: Callable[[int], Point], finest: int, coarsest: int, wanted: float) -> Point | None:
    """The lowest rate at which the error is what is wanted, between two qualities that measure just below and above.

    Where even the coarsest is good enough, that one; None where the finest is not. Errors are taken to grow with the
    qualities' numbers. Between two, the first picture and the time are those of the finer.
    """
    worse = measure(coarsest)
    if worse.error <= wanted:
        return worse
    better = measure(finest)
    if better.error > wanted:
        return None
    while coarsest - finest > 1:
        middle = (finest + coarsest) // 2
        point = measure(middle)
        if point.error <= wanted:
            finest, better = middle, point
        else:
            coarsest, worse = middle, point
    if not math.isfinite(worse.error):
        return better
    part = (wanted - better.error) / (worse.error - better.error)
    return replace(better, kbps=better.kbps ** (1 - part) * worse.kbps**part, error=wanted)
