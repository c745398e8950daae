"""One connection of a call: three channels and a voice each way over one WebRTC peer.

`control` is reliable and ordered, `motion` and `camera` neither; docs/call_protocol.md has what goes over them.
Everything here belongs to the transport's asyncio loop, but `CallPeer.at`, which one other thread may ask.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from aiortc import RTCCertificate, RTCDataChannel, RTCPeerConnection

from models.errors import AgentError
from models.motion import Motion
from runtime.clock import Clock
from runtime.glimpse import Glimpse
from runtime.transports import call_control as control
from runtime.transports.call_control import (
    Another,
    Bye,
    Hello,
    Message,
    Parts,
    ProtocolError,
    Ready,
    Want,
    digest_of,
    offered,
)
from runtime.transports.call_host import Host, Myself
from runtime.transports.glimpse_link import GlimpseLink
from runtime.transports.ice import IcePolicy
from runtime.transports.motion_link import MotionLink
from runtime.transports.peer import close_peer, gone, open_peer
from runtime.transports.reports import report_rarely
from runtime.transports.sctp import bundle, on_its_way_bytes, queued_bytes
from runtime.transports.voice import VoiceTrack, hear

logger = logging.getLogger(__name__)

KINDS = ("audio", "application")
"""What the offer of a call holds."""
SILENT_S = 2.5
"""A sender of motion that is not heard for so long is lost."""

_CONTROL, _MOTION, _CAMERA = 0, 1, 2  # channel ids, the same at both ends
_MOST_MESSAGES = 256  # of control in one connection until a portrait is there: one takes 128
_MOST_PORTRAITS = 64  # of the other end in one connection
_SMALL_BYTES, _PAUSE_S = 4 * 1024, 0.16  # parts of another portrait, between which motion finds its way: 200 kbit/s
_LOOK_S = 0.25
_GOODBYE_S = 0.5
_BUFFERED_BYTES = 4 * control.PART_BYTES


class LostError(AgentError):
    """The connection broke, which may pass."""


class CallPeer:
    """A connection from its first packet to its end."""

    def __init__(
        self,
        policy: IcePolicy,
        myself: Myself,
        host: Host,
        clock: Clock,
        certificate: RTCCertificate | None = None,
    ) -> None:
        """Makes the peer, of which signalling makes an offer or answer; `run` does the rest."""
        self.peer: RTCPeerConnection = open_peer(policy, certificate)
        self._myself, self._host, self._clock = myself, host, clock
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[str] = self._loop.create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._hello: Hello | None = None
        self._parts: Parts | None = None
        self._presented = digest_of(myself.portrait)
        self._offered = {digest_of(data): data for data in (myself.portrait, myself.avatar) if data is not None}
        self._shown = False  # whether any portrait of the other end is shown
        self._showing = False  # whether the other end's newest portrait is shown
        self._messages = self._portraits = 0
        self._leaving: str | None = None  # why this end hangs up
        self._heard_s: float | None = None  # when motion came last
        self.portraits_sent = 0
        """That the other end did not have."""
        self.ready = False
        """Whether the other end shows our portrait."""
        self.met = asyncio.Event()
        """Set once it is ready, or its motion comes."""
        self._voice = VoiceTrack(clock, host.say)
        self.peer.addTrack(self._voice)  # first: with a channel before it, aiortc's bundle does not connect
        [transceiver] = self.peer.getTransceivers()
        report_rarely(transceiver.sender)
        report_rarely(transceiver.receiver)
        self._control = self._channel("control", _CONTROL)
        self._motion = self._channel("motion", _MOTION, ordered=False, maxRetransmits=0)
        sctp = self.peer.sctp
        assert sctp is not None  # it came with the channels
        self.link = MotionLink(clock, self._motion.send, lambda: queued_bytes(sctp))
        self._camera = self._channel("camera", _CAMERA, ordered=False, maxRetransmits=0)
        self.glimpses = GlimpseLink(clock, self._camera.send, lambda: on_its_way_bytes(sctp), host.see)
        bundle(sctp)
        self.peer.on("track", lambda track: self._start(hear(track, clock, host.hear)))
        self._room = asyncio.Event()
        self._control.bufferedAmountLowThreshold = _BUFFERED_BYTES
        self._control.on("bufferedamountlow", self._room.set)
        self._control.on("open", lambda: self._tell(myself.hello))
        self._control.on("message", self._on_control)
        self._motion.on("message", self._on_motion)
        self._camera.on("message", self._on_glimpse)

    async def run(self) -> str:
        """Waits for the end of the call and frees the peer; returns what the other end said at last.

        Raises:
            LostError: the connection broke.
            AgentError: the other end does what it must not, its portrait cannot be shown, or something failed here.
        """
        if not self._over.done():
            self._start(self._watch())
        try:
            return await self._over
        except LostError:
            raise
        except AgentError as error:
            await self._take_leave(str(error))
            raise
        except Exception as error:
            logger.exception("the call failed")
            await self._take_leave("the call failed")
            raise AgentError(f"the call failed: {type(error).__name__}: {error}") from error
        finally:
            await self.free()

    async def free(self) -> None:
        """Frees a peer that is not run. May be called twice."""
        self._cancel_tasks()
        self._voice.stop()
        await close_peer(self.peer)

    def give(self, motion: Motion) -> None:
        """Sends a motion, if the other end is ready for it."""
        if self.ready and self._motion.readyState == "open":
            with suppress(ConnectionError):
                self.link.give(motion)

    def glimpse(self, glimpse: Glimpse) -> None:
        """Sends a glimpse of the camera, if that was announced and the other end shows the portrait."""
        if self._myself.camera and self.ready and self._camera.readyState == "open":
            with suppress(ConnectionError):
                self.glimpses.give(glimpse)

    def present(self, portrait: bytes) -> None:
        """Offers another portrait in place of the one that the other end shows; not before it shows that one."""
        digest = control.digest_of(portrait)
        if self.ready and not self._offered and digest != self._presented:
            self._offered, self._presented = {digest: portrait}, digest
            self._tell(Another(offered(portrait)))

    def at(self, now_ns: int) -> Motion | None:
        """The other end's motion to show now; None before the first."""
        return self.link.at(now_ns)

    @property
    def their_name(self) -> str:
        """What the other end is called; "" where it has not said."""
        return "" if self._hello is None else self._hello.name

    async def hang_up(self, reason: str) -> None:
        """Says goodbye; `run` returns."""
        self._leaving = reason
        self._tell(Bye(reason))
        await asyncio.wait([self._over], timeout=_GOODBYE_S)
        self._end(reason)

    def drop(self) -> None:
        """Ends the connection without a word: another one takes its place."""
        self._end(LostError("another connection took its place"))

    async def _take_leave(self, reason: str) -> None:
        self._cancel_tasks()
        self._tell(Bye(reason))
        await asyncio.sleep(_GOODBYE_S)

    def _channel(self, name: str, number: int, **options: Any) -> RTCDataChannel:
        return self.peer.createDataChannel(name, negotiated=True, id=number, **options)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self._end(error)

    def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _end(self, how: str | Exception) -> None:
        if self._over.done():
            return
        if isinstance(how, Exception) and self._leaving is None:
            self._over.set_exception(how)
        else:
            self._over.set_result(self._leaving or str(how))

    def _tell(self, message: Message) -> None:
        if self._control.readyState == "open":
            with suppress(ConnectionError):
                self._control.send(control.write(message))

    async def _watch(self) -> None:
        """Ends the call when the other end is not heard any more: motion comes without a break once it does."""
        asked = asyncio.ensure_future(gone(self.peer))  # costs packets
        try:
            while self._heard_s is None:
                if asked.done():
                    raise LostError(f"the connection {asked.result()}")
                await asyncio.wait([asked], timeout=_LOOK_S)
        finally:
            asked.cancel()
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._loop.time() - self._heard_s > SILENT_S or self.peer.connectionState != "connected":
                raise LostError("the other end is not heard any more")

    def _on_motion(self, packet: object) -> None:
        self._heard_s = self._loop.time()
        self.met.set()
        self.link.take(packet if isinstance(packet, bytes) else b"")

    def _on_glimpse(self, packet: object) -> None:
        announced = self._hello is not None and self._hello.camera and self._shown
        self.glimpses.take(packet if announced and isinstance(packet, bytes) else b"")

    def _on_control(self, said: str | bytes) -> None:
        try:
            self._messages += 1
            if self._messages > _MOST_MESSAGES:
                raise ProtocolError("it says too much")
            if isinstance(said, bytes):
                self._take_part(said)
            else:
                self._heed(control.read(said))
        except AgentError as error:
            self._end(error)

    def _heed(self, message: Message | None) -> None:
        """Raises ProtocolError."""
        match message:
            case Hello() if self._hello is None:
                self._hello = message
                self._host.called(message)
                self._start(self._obtain(message))
            case Hello():
                raise ProtocolError("it says hello twice")
            case Want() | Ready() if self._hello is None:
                raise ProtocolError("it does not say who it is")
            case Another(portrait) if self._hello is not None and self._showing:
                self._start(self._obtain(replace(self._hello, portrait=portrait, may_keep=False)))
            case Another():
                raise ProtocolError("it changes a portrait that is not shown yet")
            case Want(digest) if digest in self._offered:
                self._start(self._send(self._offered.pop(digest)))
            case Want():
                raise ProtocolError("it wants a portrait that was not offered, or twice")
            case Ready():
                self._offered.clear()
                self.ready = True
                self.met.set()
                self._host.shown()
            case Bye(reason):
                self._end(reason or "no reason given")

    def _take_part(self, part: bytes) -> None:
        """Raises ProtocolError."""
        if self._parts is None or self._hello is None:
            raise ProtocolError("it sends a picture that nobody asked for")
        portrait = self._parts.take(part)
        if portrait is not None:
            self._parts = None
            self._start(self._show(self._hello, portrait))

    async def _obtain(self, hello: Hello) -> None:
        if hello.portrait is None:
            await asyncio.to_thread(self._host.show, hello, None)
            return
        self._hello, self._showing = hello, False
        self._portraits += 1
        if self._portraits > _MOST_PORTRAITS:
            raise ProtocolError("it shows too many portraits")
        portrait = await asyncio.to_thread(self._host.known, hello.portrait.digest)
        if portrait is not None:
            await self._show(hello, portrait)
        else:
            self._parts = Parts(hello.portrait)
            self._tell(Want(hello.portrait.digest))

    async def _show(self, hello: Hello, portrait: bytes) -> None:
        await asyncio.to_thread(self._host.show, hello, portrait)
        self._shown, self._showing, self._messages = True, True, 0
        self._tell(Ready())

    async def _send(self, data: bytes) -> None:
        self.portraits_sent += 1
        part = _SMALL_BYTES if self.ready else control.PART_BYTES
        for first in range(0, len(data), part):
            self._room.clear()
            self._control.send(data[first : first + part])
            if self.ready:
                await asyncio.sleep(_PAUSE_S)
            if self._control.bufferedAmount > _BUFFERED_BYTES:
                await self._room.wait()
