"""A viewer: a peer that gets the avatar's pictures and sound, each at the rate that its line bears."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiortc import RTCPeerConnection, RTCRtpTransceiver

from runtime.clock import Clock
from runtime.transports.broadcast import Broadcast, Rung
from runtime.transports.congestion import Congestion
from runtime.transports.description import DescriptionError
from runtime.transports.encoding import VideoCodec
from runtime.transports.peer import close_peer, gone, on_connected, round_trip_ns
from runtime.transports.reports import Hearing, hear_reports
from runtime.transports.tracks import EncodedTrack

_LOOK_S = 0.1  # from one round trip to the next
_LATE_NS = 40_000_000
_MOST_TRAVELLING = 20


class Viewer:
    """Sends what is broadcast to one peer until it is gone. It belongs to one loop."""

    def __init__(self, peer: RTCPeerConnection, broadcast: Broadcast, rates_bps: Sequence[int], clock: Clock) -> None:
        self.peer = peer
        self._broadcast, self._clock, self._rates_bps = broadcast, clock, rates_bps
        self._congestion = Congestion(rates_bps, clock.now_ns())
        self._pictures = EncodedTrack("video", self._want_key)
        self._sound = EncodedTrack("audio")
        self._watching: Rung | None = None
        self._codec: VideoCodec = "VP8"
        self._task: asyncio.Task[None] | None = None
        self._travelling: list[int] = []  # when packets were sent that have not come back, since the last that has
        self._lagged_ns = 0  # when our own loop was late last: round trips that saw that say nothing
        self._connected = asyncio.Event()
        on_connected(peer, self._connected.set)

    @property
    def rate_bps(self) -> int:
        """The bitrate of its pictures."""
        return self._rates_bps[self._congestion.rung]

    @property
    def waiting_ns(self) -> int:
        """How long packets wait on their way to it."""
        return self._congestion.waiting_ns

    def offer_media(self, sound: bool) -> None:
        """Puts pictures, and sound, into the offer that the peer is going to make."""
        self.peer.addTransceiver(self._pictures, "sendonly")
        if sound:
            self.peer.addTransceiver(self._sound, "sendonly")

    def answer_media(self, sound: bool) -> None:
        """Puts them into the answer to the offer that the peer has; nothing is received."""
        for transceiver in self.peer.getTransceivers():
            if transceiver.kind == "video" or sound:
                transceiver.sender.replaceTrack(self._pictures if transceiver.kind == "video" else self._sound)
                transceiver.direction = "sendonly"

    def check(self) -> None:
        """Raises DescriptionError if what was agreed on has no pictures."""
        if self._pictured.currentDirection != "sendonly":
            raise DescriptionError("the other end wants no pictures")

    def begin(self, ended: Callable[[], None]) -> None:
        """Sends from when the peer is connected; `ended` hears that it is over, once everything is freed."""
        self._task = asyncio.get_running_loop().create_task(self._live(ended))

    async def leave(self) -> None:
        """Says goodbye and frees the peer. May be called twice."""
        await close_peer(self.peer)
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _live(self, ended: Callable[[], None]) -> None:
        sending = asyncio.get_running_loop().create_task(self._send())
        try:
            await gone(self.peer)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            await close_peer(self.peer)
        ended()

    async def _send(self) -> None:
        await self._connected.wait()
        self._codec = "H264" if self._pictured._codecs[0].name == "H264" else "VP8"  # the other end's first choice
        hear_reports(self._pictured.sender, self._hearing())
        self._broadcast.listen(self._sound.deliver)
        try:
            async with asyncio.TaskGroup() as trips:
                while True:
                    self._follow()
                    asked_ns = self._clock.now_ns()
                    trips.create_task(self._travel(asked_ns))
                    await asyncio.sleep(_LOOK_S)
                    now_ns = self._clock.now_ns()
                    self._lagged_ns = now_ns if now_ns - asked_ns > _LOOK_S * 1e9 + _LATE_NS else self._lagged_ns
                    if self._travelling and self._lagged_ns < self._travelling[0]:
                        self._congestion.overdue(now_ns, self._travelling[0])
        finally:
            self._broadcast.stop_listening(self._sound.deliver)
            self._watch(None)

    async def _travel(self, sent_ns: int) -> None:
        """Sends a packet there and back. Whatever was sent before one that comes back is lost, not late."""
        self._travelling.append(sent_ns)
        with suppress(ConnectionError):
            trip_ns = await round_trip_ns(self.peer)
            if trip_ns is not None and self._lagged_ns < sent_ns:
                self._congestion.round_trip(self._clock.now_ns(), trip_ns)
            if trip_ns is not None:
                self._travelling = [other for other in self._travelling if other > sent_ns]
        if len(self._travelling) > _MOST_TRAVELLING:
            self._travelling.pop()

    def _follow(self) -> None:
        """Does what congestion says."""
        if self._congestion.paused:
            self._pictures.pause()
        else:
            self._watch(Rung(self._codec, self._congestion.rung))
            self._pictures.go_on()

    def _watch(self, rung: Rung | None) -> None:
        if rung == self._watching:
            return
        if self._watching is not None:
            self._broadcast.ignore(self._watching, self._pictures.deliver)
        self._watching = rung
        self._pictures.restart()
        if rung is not None:
            self._broadcast.watch(rung, self._pictures.deliver)

    def _want_key(self) -> None:
        if self._watching is not None:
            self._broadcast.want_key(self._watching)

    @property
    def _pictured(self) -> RTCRtpTransceiver:
        """The transceiver of the pictures. Raises DescriptionError where there is none."""
        for transceiver in self.peer.getTransceivers():
            if transceiver.kind == "video":
                return transceiver
        raise DescriptionError("the other end wants no pictures")

    def _hearing(self) -> Hearing:
        congestion, now_ns = self._congestion, self._clock.now_ns
        return Hearing(
            lost=lambda share: congestion.lost(now_ns(), share),
            estimated=lambda bps: congestion.estimated(now_ns(), bps),
            missed=lambda: congestion.missed(now_ns()),
            may_resend=lambda: congestion.may_resend(now_ns()),
            key_wanted=self._want_key,
        )
