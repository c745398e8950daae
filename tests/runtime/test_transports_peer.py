import asyncio
from contextlib import suppress

import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCCertificate
from OpenSSL import SSL

from runtime.transports.peer import accept, answer, close_peer, gone, make_certificate, offer, open_peer
from tests.runtime.peers import HERE, run, until


def extra_bytes(client: RTCCertificate, server: RTCCertificate) -> int:
    """What DTLS adds to a message."""
    ends = [SSL.Connection(each._create_ssl_context(SRTP_PROFILES)) for each in (client, server)]
    ends[0].set_connect_state()
    ends[1].set_accept_state()
    for _ in range(8):
        for end, other in (ends, ends[::-1]):
            with suppress(SSL.WantReadError):
                end.do_handshake()
            deliver(end, other)
    ends[0].send(bytes(100))
    return deliver(*ends) - 100


def deliver(end: SSL.Connection, other: SSL.Connection) -> int:
    """The size of the last datagram."""
    size = 0
    while True:
        try:
            datagram = end.bio_read(1500)
        except SSL.WantReadError:
            return size
        size = len(datagram)
        other.bio_write(datagram)


def test_packets_are_small_even_where_the_other_end_prefers_larger_ones_and_decides() -> None:
    ours, others = make_certificate(), RTCCertificate.generateCertificate()
    assert extra_bytes(ours, make_certificate()) == 29
    assert extra_bytes(others, ours) == 29
    assert extra_bytes(others, RTCCertificate.generateCertificate()) == 37


def test_who_answers_nothing_but_says_something_has_not_vanished(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a line whose packets wait for long, or which loses many."""
    asked, heard = [], []

    async def unanswered(peer: object) -> None:
        asked.append(peer)
        await asyncio.sleep(0.1)

    monkeypatch.setattr("runtime.transports.peer.round_trip_ns", unanswered)
    monkeypatch.setattr("runtime.transports.peer.SILENT_S", 1.5)

    async def test() -> None:
        one, other = open_peer(HERE), open_peer(HERE)
        for peer in (one, other):
            channel = peer.createDataChannel("talk", negotiated=True, id=0)
            channel.on("message", heard.append)
        text = await answer(other, await offer(one, HERE), HERE, ("application",))
        await accept(one, text, HERE)
        left = asyncio.create_task(gone(one))
        await until(lambda: channel.readyState == "open")
        while len(asked) < 8:
            channel.send("still here")
            await asyncio.sleep(0.1)
        assert heard and not left.done()
        assert await left == "vanished"
        await close_peer(one)
        await close_peer(other)

    run(test())
