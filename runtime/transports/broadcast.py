"""One encode for all who watch: a stream for every rate that somebody needs, its pictures given to each of them."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32, UInt8

from runtime.clock import Clock
from runtime.transports.encoding import Encoded, SoundEncoder, VideoCodec, VideoEncoder

Deliver = Callable[[Encoded], None]
"""Takes what is to be sent. Called in the encoding thread; must not block."""

_KEY_EVERY_NS = 600_000_000  # whoever comes or has lost something waits for the next key picture so long at most


@dataclass(frozen=True, slots=True)
class Rung:
    """What a stream is."""

    codec: VideoCodec
    rate: int
    """Index of its rate."""


class _Stream:
    """The pictures of a rung; its encoder belongs to the encoding thread."""

    def __init__(self) -> None:
        self.listeners: list[Deliver] = []
        self.key_wanted = True
        self._encoder: VideoEncoder | None = None
        self._key_ns: int | None = None

    def encode(
        self, i420: UInt8[np.ndarray, "n w"], instant_ns: int, now_ns: int, open_encoder: Callable[[], VideoEncoder]
    ) -> Encoded | None:
        if self._encoder is None:
            self._encoder = open_encoder()
        key = self.key_wanted and (self._key_ns is None or now_ns - self._key_ns >= _KEY_EVERY_NS)
        encoded = self._encoder.encode(i420, instant_ns, key)
        if encoded is not None and encoded.is_key:
            self.key_wanted, self._key_ns = False, now_ns
        return encoded


class Broadcast:
    """Pictures and sound on their way to any number of listeners. Thread-safe.

    Instants of the streams count from when it was made, on the run's clock: one origin for pictures and sound.
    """

    def __init__(self, size: tuple[int, int], fps: int, rates_bps: Sequence[int], clock: Clock) -> None:
        self._size, self._fps, self._rates_bps, self._clock = size, fps, rates_bps, clock
        self._origin_ns = clock.now_ns()
        self._lock = threading.Lock()  # guards the streams and who listens, not the encoding
        self._streams: dict[Rung, _Stream] = {}
        self._sound_listeners: list[Deliver] = []
        self._sound_encoder = SoundEncoder()
        self.encoders_opened = 0
        """Encoders made so far: one, as long as everybody's line is good."""

    def watch(self, rung: Rung, deliver: Deliver) -> None:
        """From now on `deliver` gets the pictures of a stream, which begins if it is not there."""
        with self._lock:
            stream = self._streams.setdefault(rung, _Stream())
            stream.listeners.append(deliver)
            stream.key_wanted = True

    def ignore(self, rung: Rung, deliver: Deliver) -> None:
        """No more; a stream without anybody who watches ends."""
        with self._lock:
            stream = self._streams[rung]
            stream.listeners.remove(deliver)
            if not stream.listeners:
                del self._streams[rung]

    def want_key(self, rung: Rung) -> None:
        """Somebody can go on with a key picture only: one comes soon."""
        with self._lock:
            self._streams[rung].key_wanted = True

    def listen(self, deliver: Deliver) -> None:
        """From now on `deliver` gets the sound."""
        with self._lock:
            self._sound_listeners.append(deliver)

    def stop_listening(self, deliver: Deliver) -> None:
        """No more."""
        with self._lock:
            self._sound_listeners.remove(deliver)

    @property
    def watched(self) -> bool:
        """Whether anybody gets pictures."""
        return bool(self._streams)

    def show(self, i420: UInt8[np.ndarray, "n w"], due_ns: int) -> None:
        """Encodes a picture, once for every stream, and delivers it. One thread calls it."""
        with self._lock:
            streams = [(rung, stream, list(stream.listeners)) for rung, stream in self._streams.items()]
        for rung, stream, listeners in streams:
            opening = partial(self._open, rung)
            encoded = stream.encode(i420, due_ns - self._origin_ns, self._clock.now_ns(), opening)
            if encoded is not None:
                for deliver in listeners:
                    deliver(encoded)

    def play(self, samples: Float32[np.ndarray, "960 2"], heard_ns: int) -> None:
        """The same for a block of 48 kHz sound. One thread calls it, for every block in turn."""
        with self._lock:
            listeners = list(self._sound_listeners)
        if listeners:
            encoded = self._sound_encoder.encode(samples, heard_ns - self._origin_ns)
            for deliver in listeners:
                deliver(encoded)

    def _open(self, rung: Rung) -> VideoEncoder:
        self.encoders_opened += 1
        return VideoEncoder(rung.codec, self._size, self._fps, self._rates_bps[rung.rate])
