"""Tracks that hand encoded pictures and sound to aiortc, the newest first: what nobody fetched in time is left out."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from runtime.transports.encoding import Encoded

_PICTURES, _BLOCKS = 4, 10


class EncodedTrack(MediaStreamTrack):
    """A track of one peer. It belongs to the loop in which it is made; `deliver` alone may be called by any thread.

    Pictures begin with a key picture. When the peer is slow to fetch them, all that waits is dropped and the next key
    picture waited for; of sound, the oldest block is dropped.
    """

    def __init__(self, kind: Literal["video", "audio"], want_key: Callable[[], None] = lambda: None) -> None:
        """`want_key` is called when a key picture is needed."""
        super().__init__()
        self.kind = kind
        self.dropped = 0
        """Pictures or blocks that were left out because the peer was slow."""
        self._want_key = want_key
        self._needs_key = self._is_video = kind == "video"
        self._paused = False
        self._queue: deque[Encoded] = deque()
        self._filled = asyncio.Event()
        self._home = asyncio.get_running_loop()

    def deliver(self, encoded: Encoded) -> None:
        """Offers what was encoded. Any thread; never blocks."""
        if not self._home.is_closed():
            self._home.call_soon_threadsafe(self._take, encoded)

    def restart(self) -> None:
        """Waits for a key picture, as at the beginning."""
        self._queue.clear()
        self._needs_key = True

    def pause(self) -> None:
        """Leaves out what is delivered from now on."""
        self._paused = True
        self._queue.clear()

    def go_on(self) -> None:
        """Ends a pause, if there is one, with the next key picture."""
        if self._paused:
            self._paused = False
            self.restart()
            self._want_key()

    async def recv(self) -> av.Packet:
        """The next packet, for aiortc."""
        while not self._queue:
            if self.readyState != "live":
                raise MediaStreamError
            self._filled.clear()
            await self._filled.wait()
        return self._queue.popleft().packet

    def stop(self) -> None:
        """Ends the track."""
        super().stop()
        self._filled.set()

    def _take(self, encoded: Encoded) -> None:
        if self._paused or (self._needs_key and not encoded.is_key):
            return
        self._needs_key = False
        if self._is_video and len(self._queue) >= _PICTURES:
            self.dropped += len(self._queue) + 1
            self.restart()
            self._want_key()
            return
        if len(self._queue) >= _BLOCKS:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(encoded)
        self._filled.set()
