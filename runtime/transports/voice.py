"""The voice in a call: Opus out, sound in, on the clocks of either end."""

import asyncio
from collections import deque
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from jaxtyping import Float32

from runtime.clock import Clock
from runtime.sound import Sound

RATE_HZ = 48_000
_BLOCK = 960  # 20 ms
_BLOCK_NS = 20_000_000
_BITS_PER_S = 20_000
_LAST_SILENT = 10  # blocks that are sent when a sound has ended
_LATE_NS = 100_000_000  # what is later is left out

_JITTER_NS = 80_000_000  # aiortc holds back four blocks
_JOURNEYS_NS = 8_000_000_000  # a journey without waiting happens within so long

Read = Callable[[int, int], Float32[np.ndarray, "count 2"]]
"""count, instant at which the first sample leaves (ns) -> so many samples, 48 kHz stereo."""


class VoiceTrack(MediaStreamTrack):
    """What this end says, 50 packets a second of mono Opus; none while there is no sound at all."""

    kind = "audio"

    def __init__(self, clock: Clock, read: Read) -> None:
        """`read` is called in the transport's thread."""
        super().__init__()
        self._clock, self._read = clock, read
        self._begun_ns = clock.now_ns()
        self._blocks = self._silent = 0
        self._encoder = av.CodecContext.create("libopus", "w")
        self._encoder.bit_rate = _BITS_PER_S
        self._encoder.format, self._encoder.layout = av.AudioFormat("s16"), av.AudioLayout("mono")
        self._encoder.sample_rate, self._encoder.time_base = RATE_HZ, Fraction(1, RATE_HZ)
        self._encoder.options = {"application": "voip", "frame_duration": "20"}

    async def recv(self) -> av.Packet:
        """The next packet when it is due. Raises MediaStreamError once stopped."""
        while self.readyState == "live":
            now_ns = self._clock.now_ns()
            if now_ns - self._due_ns() > _LATE_NS:
                self._blocks = (now_ns - self._begun_ns) // _BLOCK_NS
            await asyncio.sleep(max(0, self._due_ns() - now_ns) / 1e9)
            at, self._blocks = self._blocks, self._blocks + 1
            samples = self._read(_BLOCK, self._clock.now_ns()).mean(1)
            self._silent = 0 if samples.any() else self._silent + 1
            if self._silent > _LAST_SILENT:
                continue
            for packet in self._encoder.encode(_frame(samples, at * _BLOCK)):
                packet.pts, packet.time_base = at * _BLOCK, Fraction(1, RATE_HZ)
                return packet
        raise MediaStreamError

    def _due_ns(self) -> int:
        return self._begun_ns + self._blocks * _BLOCK_NS


def _frame(samples: Float32[np.ndarray, "n"], pts: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray((np.clip(samples, -1, 1) * 32767).astype(np.int16)[None], "s16", "mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, pts, Fraction(1, RATE_HZ)
    return frame


async def hear(track: MediaStreamTrack, clock: Clock, heard: Callable[[Sound], None]) -> None:
    """Gives what the other end says to `heard`, until it ends: stamped when it would have come without waiting."""
    journeys: deque[tuple[int, int]] = deque(maxlen=512)
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if not isinstance(frame, av.AudioFrame) or frame.pts is None:
            continue
        now_ns = clock.now_ns()
        said_ns = round(frame.pts * 1e9 / RATE_HZ)
        journeys.append((now_ns, now_ns - _JITTER_NS - said_ns))
        while now_ns - journeys[0][0] > _JOURNEYS_NS:
            journeys.popleft()
        samples = frame.to_ndarray().reshape(-1, 2).astype(np.float32) / 32768
        heard(Sound(samples, RATE_HZ, said_ns + min(journey for _, journey in journeys)))
