"""The connections of one end of a call, one after the other, as its loops see them."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from models.motion import Motion
from runtime.event_loops import run_in
from runtime.glimpse import Glimpse
from runtime.transports.call_peer import CallPeer

T = TypeVar("T")


class Line:
    """Any thread may use it; connections belong to an asyncio loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards all below
        self._peer: CallPeer | None = None
        self._before: CallPeer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def connect(self, peer: CallPeer) -> None:
        """From now on this is the connection. In its loop."""
        with self._lock:
            self._before, self._peer = self._peer, peer
            self._loop = asyncio.get_running_loop()

    @property
    def peer(self) -> CallPeer | None:
        """The newest connection, which may have ended."""
        return self._peer

    def at(self, now_ns: int) -> Motion | None:
        """The other end's motion to show now; None before the first. An end that is gone eases out."""
        with self._lock:
            peer, before = self._peer, self._before
        motion = None if peer is None else peer.at(now_ns)
        return before.at(now_ns) if motion is None and before is not None else motion

    def give(self, motion: Motion) -> None:
        """Sends a motion to whoever is there. Never blocks."""
        self._tell(CallPeer.give, motion)

    def glimpse(self, glimpse: Glimpse) -> None:
        """Sends a glimpse of the camera to whoever is there. Never blocks."""
        self._tell(CallPeer.glimpse, glimpse)

    def present(self, portrait: bytes) -> None:
        """Offers another portrait to whoever is there. Never blocks."""
        self._tell(CallPeer.present, portrait)

    def hang_up(self, reason: str) -> None:
        """Says goodbye to whoever is there, and waits until that is done."""
        with self._lock:
            peer, loop = self._peer, self._loop
        if peer is not None and loop is not None:
            run_in(loop, peer.hang_up(reason))

    def _tell(self, what: Callable[[CallPeer, T], None], value: T) -> None:
        with self._lock:
            peer, loop = self._peer, self._loop
        if peer is not None and loop is not None and not loop.is_closed():
            with suppress(RuntimeError):  # it closed meanwhile
                loop.call_soon_threadsafe(what, peer, value)
