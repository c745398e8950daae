import asyncio
from contextlib import suppress

from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCCertificate
from OpenSSL import SSL

from runtime.transports.ice import IcePolicy
from runtime.transports.peer import open_peer


def certificate() -> RTCCertificate:
    """Of a peer of ours."""

    async def opened() -> RTCCertificate:
        peer = open_peer(IcePolicy())
        await peer.close()
        return vars(peer)["_RTCPeerConnection__certificates"][0]

    return asyncio.run(opened())


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
    ours, others = certificate(), RTCCertificate.generateCertificate()
    assert extra_bytes(ours, certificate()) == 29
    assert extra_bytes(others, ours) == 29
    assert extra_bytes(others, RTCCertificate.generateCertificate()) == 37
