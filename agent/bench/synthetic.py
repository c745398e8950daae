"""A camera and a microphone of a bench's own: they give what they are told to, when a device would, with stamps."""

import threading
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, UInt8

from agent.bench.stamp import CODES, draw_stamp, read_stamp
from runtime.clock import Clock
from runtime.frame import Frame
from runtime.ring import Ring
from runtime.slot import Slot
from runtime.sound import Sound

CAMERA_FPS = 30
SOUND_HZ = 16_000
BLOCKS_PER_S = 100
BLOCK = SOUND_HZ // BLOCKS_PER_S
"""Samples of a block of sound."""
BLOCK_NS = 1_000_000_000 // BLOCKS_PER_S

_RING_BLOCKS = 200

Still = UInt8[np.ndarray, "h w 3"]
Samples = Float32[np.ndarray, "n"]


class Emissions:
    """What has left a device, and when. Thread-safe."""

    def __init__(self) -> None:
        self._pts_ns: list[int] = []
        self._codes: list[int] = []
        self._lock = threading.Lock()

    def add(self, pts_ns: int, code: int) -> None:
        """`code` stands for the instant `pts_ns`, which is later than all before."""
        with self._lock:
            self._pts_ns.append(pts_ns)
            self._codes.append(code)

    def code_at(self, pts_ns: int) -> int | None:
        """The newest code at an instant; None before the first."""
        with self._lock:
            at = bisect_right(self._pts_ns, pts_ns)
            return self._codes[at - 1] if at else None

    def age_ns(self, code: int, now_ns: int) -> int | None:
        """How long ago, at an instant, a code's own was; None if it was never given. Of equal codes the newest."""
        with self._lock:
            for at in range(bisect_right(self._pts_ns, now_ns) - 1, -1, -1):
                if self._codes[at] == code:
                    return now_ns - self._pts_ns[at]
        return None


class SyntheticCamera:
    """Source[Frame]: `stills`, one after the other, each with a stamp; the newest wins, as with a camera.

    Stamps are read from the frames' own pixels again when the run takes them.
    """

    def __init__(self, clock: Clock, stills: Iterator[Still]) -> None:
        self.seen = Emissions()
        """The codes of the frames that the run has taken."""
        self.start_ns = 0
        """Instant of the first frame."""
        self._clock, self._stills = clock, stills
        self._slot: Slot[Frame] = Slot()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name="synthetic camera", daemon=True)

    @property
    def lost(self) -> int:
        """How many frames nobody took before the next one came."""
        return self._slot.replaced

    def __iter__(self) -> Iterator[Frame]:
        """Begins to play; ends with the stills."""
        self._thread.start()
        while (frame := self._slot.take()) is not None:
            code = read_stamp(frame.image[:, :, 1])
            assert code is not None
            self.seen.add(frame.pts_ns, code)
            yield frame

    def close(self) -> None:
        """Ends the iterator."""
        self._stop.set()
        self._slot.close()

    def _play(self) -> None:
        self.start_ns = self._clock.now_ns()
        with closing(self._slot):
            for k, still in enumerate(self._stills):
                image = still.copy()
                draw_stamp(image, k)
                if not self._clock.wait_until(self.start_ns + round(k * 1e9 / CAMERA_FPS), self._stop):
                    return
                self._slot.put(Frame(image, self._clock.now_ns()))


class SyntheticMicrophone:
    """Source[Sound]: `blocks` of `BLOCK` samples at `SOUND_HZ`, each given when its last sample has been.

    Sound bears no picture of a stamp: the code of an instant is the number of its block.
    """

    lost: ClassVar[int] = 0

    def __init__(self, clock: Clock, blocks: Iterator[Samples]) -> None:
        self.seen = Emissions()
        """The blocks that the run has taken."""
        self.start_ns = 0
        """Instant of the first sample."""
        self._clock, self._blocks = clock, blocks
        self._ring: Ring[Sound] = Ring(_RING_BLOCKS)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name="synthetic microphone", daemon=True)

    def __iter__(self) -> Iterator[Sound]:
        """Begins to play."""
        self._thread.start()
        k = 0
        while (sound := self._ring.take()) is not None:
            self.seen.add(sound.pts_ns, k % CODES)
            k += 1
            yield sound

    def close(self) -> None:
        """Ends the iterator."""
        self._stop.set()
        self._ring.close()

    def _play(self) -> None:
        self.start_ns = self._clock.now_ns()
        with closing(self._ring):
            for k, block in enumerate(self._blocks):
                pts_ns = self.start_ns + k * BLOCK_NS
                if not self._clock.wait_until(pts_ns + BLOCK_NS, self._stop):
                    return
                self._ring.put(Sound(block[:, None], SOUND_HZ, pts_ns))
