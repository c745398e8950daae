"""What a call asks of aiortc's SCTP beyond its interface: few packets, quick recovery, and a look at the true queue."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiortc import rtcsctptransport
from aiortc.rtcsctptransport import SCTP_DATA_UNORDERED, DataChunk, ForwardTsnChunk, RTCSctpTransport

_PATIENCE_S = 0.2  # for data to ride along with; RFC 9260 6.2 has it for acknowledgements, and allows 0.5
_RIDES_S = 0.1  # an acknowledgement that has waited for so long goes with the next data
_EVERY, _MOST = 2, 4  # packets: so does one that is owed for so many; and for so many it waits for nothing
_BUNDLED_BYTES = 1000  # a message that is longer fills a packet by itself, and more of it wait for what is owed

vars(rtcsctptransport).update(SCTP_RTO_INITIAL=0.5, SCTP_RTO_MIN=0.3)  # s; of 3 and 1: more than _PATIENCE_S


def queued_bytes(sctp: RTCSctpTransport) -> int:
    """What was given to any channel and has not left; `bufferedAmount` forgets what the transport holds back."""
    waiting = sum(len(data) for _, _, data in sctp._data_channel_queue)
    return waiting + sum(len(chunk.user_data) for chunk in sctp._outbound_queue)


def on_its_way_bytes(sctp: RTCSctpTransport) -> int:
    """What was given to any channel, and of which it is not known yet that it has arrived."""
    return queued_bytes(sctp) + sctp._flight_size


def bundle(sctp: RTCSctpTransport) -> None:
    """Lets acknowledgements and what is said of lost messages ride along with the next data: with ordered data, or
    once two packets are owed or one for 0.1 s. Where no data leaves they wait for four packets or 0.2 s; of long
    messages for two packets, as RFC 9260 6.2 has it, and for nothing while a packet of theirs, or of ordered data, is
    missing (6.7).

    aiortc sends each in a packet of its own, which costs a call as much as the motion itself.
    """
    _Bundler(sctp)


class _Bundler:
    """Takes the place of the transport's own sending of chunks and acknowledgements (SACK)."""

    def __init__(self, sctp: RTCSctpTransport) -> None:
        self._sctp = sctp
        self._loop = asyncio.get_running_loop()
        self._send_chunk: Callable[[Any], Awaitable[None]] = sctp._send_chunk
        self._write_sack: Callable[[], Awaitable[None]] = sctp._send_sack
        self._receive_data: Callable[[DataChunk], Awaitable[None]] = sctp._receive_data_chunk
        self._owed = 0  # packets
        self._owed_since_s = 0.0
        self._is_long = False  # whether one of them was filled by a message ...
        self._is_ordered = False  # ... or belongs to an ordered channel
        self._forward: ForwardTsnChunk | None = None
        self._gathered: list[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        vars(sctp)["_receive_data_chunk"] = self._receive
        vars(sctp)["_send_sack"] = self._acknowledge
        vars(sctp)["_send_chunk"] = self._send

    async def _receive(self, chunk: DataChunk) -> None:
        """In place of the transport's."""
        self._is_long |= len(chunk.user_data) > _BUNDLED_BYTES
        self._is_ordered |= not chunk.flags & SCTP_DATA_UNORDERED
        await self._receive_data(chunk)

    async def _acknowledge(self) -> None:
        """A packet came that must be acknowledged."""
        self._sctp._sack_needed = False
        if self._owed == 0:
            self._owed_since_s = self._loop.time()
        self._owed += 1
        is_missed = self._sctp._sack_misordered and (self._is_long or self._is_ordered)
        if is_missed or self._owed >= (_EVERY if self._is_long else _MOST):
            await self._leave()
        else:
            self._wait()

    async def _send(self, chunk: Any) -> None:
        """In place of the transport's."""
        if self._gathered is not None:
            self._gathered.append(chunk)
        elif isinstance(chunk, ForwardTsnChunk):
            self._forward = chunk
            self._wait()
        elif isinstance(chunk, DataChunk) and len(chunk.user_data) <= _BUNDLED_BYTES and self._rides_with(chunk):
            await self._leave(chunk)
        else:
            await self._send_chunk(chunk)

    def _rides_with(self, data: DataChunk) -> bool:
        """Whether anything goes with this: with ordered data, of which there is little, all that waits."""
        due = self._is_long or self._owed >= _EVERY or self._loop.time() - self._owed_since_s >= _RIDES_S
        return self._forward is not None or (self._owed > 0 and (due or not data.flags & SCTP_DATA_UNORDERED))

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(_PATIENCE_S, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._sctp.state == "connected":
            self._task = asyncio.ensure_future(self._leave())

    async def _leave(self, *data: DataChunk) -> None:
        """Sends what waits, in one packet with data."""
        self._gathered = []
        if self._owed:
            await self._write_sack()
        chunks = [*self._gathered, *([] if self._forward is None else [self._forward]), *data]
        self._owed, self._forward, self._gathered = 0, None, None
        self._is_long = self._is_ordered = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if chunks:
            with suppress(ConnectionError):  # the association ends by itself
                await self._send_chunk(_Together(*chunks))


class _Together:
    """Chunks in one packet."""

    def __init__(self, *chunks: Any) -> None:
        self._chunks = chunks

    def __bytes__(self) -> bytes:
        return b"".join(map(bytes, self._chunks))
