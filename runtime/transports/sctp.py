"""What a call asks of aiortc's SCTP beyond its interface: few packets, quick recovery, and a look at the true queue."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiortc import rtcsctptransport
from aiortc.rtcsctptransport import DataChunk, RTCSctpTransport

_ACKNOWLEDGE_S = 0.1  # RFC 9260 6.2 allows 0.5
_EVERY = 2  # packets: one acknowledgement at the least
_BUNDLED_BYTES = 1000  # a message that is longer fills a packet by itself

vars(rtcsctptransport).update(SCTP_RTO_INITIAL=0.5, SCTP_RTO_MIN=0.3)  # s; of 3 and 1: more than _ACKNOWLEDGE_S


def queued_bytes(sctp: RTCSctpTransport) -> int:
    """What was given to any channel and has not left; `bufferedAmount` forgets what the transport holds back."""
    waiting = sum(len(data) for _, _, data in sctp._data_channel_queue)
    return waiting + sum(len(chunk.user_data) for chunk in sctp._outbound_queue)


def on_its_way_bytes(sctp: RTCSctpTransport) -> int:
    """What was given to any channel, and of which it is not known yet that it has arrived."""
    return queued_bytes(sctp) + sctp._flight_size


def acknowledge_in_passing(sctp: RTCSctpTransport) -> None:
    """Lets acknowledgements ride along with the next data, or wait for 0.1 s, as RFC 9260 6.2 has it.

    aiortc sends each in a packet of its own, which costs a call as much as the motion itself.
    """
    _InPassing(sctp)


class _InPassing:
    """Takes the place of the transport's own sending of acknowledgements (SACK)."""

    def __init__(self, sctp: RTCSctpTransport) -> None:
        self._sctp = sctp
        self._send_chunk: Callable[[Any], Awaitable[None]] = sctp._send_chunk
        self._send_now: Callable[[], Awaitable[None]] = sctp._send_sack
        self._owed = 0
        self._timer: asyncio.TimerHandle | None = None
        self._beside: DataChunk | None = None
        vars(sctp)["_send_sack"] = self._acknowledge
        vars(sctp)["_send_chunk"] = self._send

    async def _acknowledge(self) -> None:
        """A packet came that must be acknowledged."""
        self._owed += 1
        self._sctp._sack_needed = False
        if self._owed >= _EVERY:
            await self._pay()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_ACKNOWLEDGE_S, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._owed and self._sctp.state == "connected":
            self._task = asyncio.ensure_future(self._pay())

    async def _pay(self) -> None:
        self._owed = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        with suppress(ConnectionError):  # the association ends by itself
            await self._send_now()

    async def _send(self, chunk: Any) -> None:
        """In place of the transport's: an acknowledgement that is owed goes with data."""
        if isinstance(chunk, DataChunk) and self._owed and len(chunk.user_data) <= _BUNDLED_BYTES:
            self._beside = chunk
            await self._pay()
            return
        beside, self._beside = self._beside, None
        await self._send_chunk(chunk if beside is None else _Together(chunk, beside))


class _Together:
    """Two chunks in one packet."""

    def __init__(self, *chunks: Any) -> None:
        self._chunks = chunks

    def __bytes__(self) -> bytes:
        return b"".join(map(bytes, self._chunks))
