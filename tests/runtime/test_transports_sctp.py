"""aiortc's SCTP with a wire that only remembers."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_UNORDERED,
    DataChunk,
    ForwardTsnChunk,
    RTCSctpTransport,
    SackChunk,
    parse_packet,
)

from runtime.transports import sctp as ours

NEVER_S = 1e6


class Wire:
    """What leaves, packet by packet, as the kinds of chunks in it."""

    state = "new"

    def __init__(self) -> None:
        self.packets: list[list[type]] = []
        self.left = asyncio.Event()

    async def _send_data(self, packet: bytes) -> None:
        self.packets.append([type(chunk) for chunk in parse_packet(packet)[3]])
        self.left.set()


def run(script: Callable[[Any, Wire], Any]) -> list[list[type]]:
    """The packets that leave while `script` does something with a transport that is connected."""

    async def connected() -> list[list[type]]:
        wire = Wire()
        sctp = RTCSctpTransport(wire)
        sctp._remote_port, sctp._last_received_tsn = 5000, 7
        sctp._set_state(RTCSctpTransport.State.ESTABLISHED)
        ours.bundle(sctp)
        await script(sctp, wire)
        return wire.packets

    return asyncio.run(asyncio.wait_for(connected(), 30))


@pytest.fixture
def patience(monkeypatch) -> SimpleNamespace:
    """Nothing depends on time unless a test says so."""
    for name in ("_PATIENCE_S", "_RIDES_S"):
        monkeypatch.setattr(ours, name, NEVER_S)
    return SimpleNamespace(set=lambda name, seconds: monkeypatch.setattr(ours, name, seconds))


def data(size: int = 40, flags: int = SCTP_DATA_UNORDERED) -> DataChunk:
    chunk = DataChunk(flags)
    chunk.user_data = bytes(size)
    return chunk


def test_an_acknowledgement_of_two_packets_rides_with_the_next_data(patience) -> None:
    async def script(sctp: Any, wire: Wire) -> None:
        for _ in range(4):
            await sctp._send_sack()
            await sctp._send_chunk(data())
        await sctp._send_sack()
        await sctp._send_chunk(data(2 * ours._BUNDLED_BYTES))
        await sctp._send_sack()
        await sctp._send_chunk(data())

    alone, together = [DataChunk], [SackChunk, DataChunk]
    assert run(script) == [alone, together, alone, together, alone, together]


def test_one_that_waits_for_long_rides_alone_with_data_and_at_last_without(patience) -> None:
    async def script(sctp: Any, wire: Wire) -> None:
        patience.set("_RIDES_S", 0.0)
        await sctp._send_sack()
        await sctp._send_chunk(data())
        patience.set("_PATIENCE_S", 0.01)
        await sctp._send_sack()
        wire.left.clear()
        await wire.left.wait()

    assert run(script) == [[SackChunk, DataChunk], [SackChunk]]


def test_many_packets_are_acknowledged_at_once_and_with_ordered_data_each(patience) -> None:
    async def script(sctp: Any, wire: Wire) -> None:
        for _ in range(5):
            await sctp._send_sack()
        await sctp._send_chunk(data(flags=0))

    assert run(script) == [[SackChunk], [SackChunk, DataChunk]]


def test_long_messages_are_acknowledged_at_once_or_with_any_data(patience) -> None:
    async def script(sctp: Any, wire: Wire) -> None:
        for k in range(3):
            chunk = data(2 * ours._BUNDLED_BYTES)
            chunk.tsn, chunk.flags = 8 + k, SCTP_DATA_FIRST_FRAG
            await sctp._receive_data_chunk(chunk)
            await sctp._send_sack()
        await sctp._send_chunk(data())

    assert run(script) == [[SackChunk], [SackChunk, DataChunk]]


@pytest.mark.parametrize("chunk", [data(flags=0), data(2 * ours._BUNDLED_BYTES)])
def test_a_gap_is_told_at_once_where_a_message_waits_for_it(patience, chunk: DataChunk) -> None:
    async def script(sctp: Any, wire: Wire) -> None:
        for lost in (chunk, data()):
            lost.tsn, lost.flags = sctp._last_received_tsn + 2, lost.flags | SCTP_DATA_FIRST_FRAG
            await sctp._receive_data_chunk(lost)
            await sctp._send_sack()
            assert len(wire.packets) == 1
            sctp._mark_received(lost.tsn - 1)

    assert run(script) == [[SackChunk]]


def test_what_is_said_of_lost_messages_rides_with_the_next_data_once_and_newest(patience) -> None:
    async def script(sctp: Any, wire: Wire) -> None:
        for lost in (3, 4):
            chunk = ForwardTsnChunk()
            chunk.cumulative_tsn = lost
            await sctp._send_chunk(chunk)
        await sctp._send_chunk(data())
        await sctp._send_chunk(data())

    assert run(script) == [[ForwardTsnChunk, DataChunk], [DataChunk]]
