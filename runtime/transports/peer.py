"""A WebRTC peer under our ICE policy: made, described, connected, watched until it is gone.

    peer = open_peer(policy)          an aiortc RTCPeerConnection: add tracks and data channels to it
    text = await offer(peer, policy)            one end; then `accept` with what came back
    text = await answer(peer, their_offer, policy)        the other end
    on_connected(peer, told)          `told` hears that it is connected
    await gone(peer)                  returns why, seconds after the other end has vanished

Everything here belongs to one asyncio loop. Only `offer`, `answer` and `accept` read what the other end says.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any

from aioice.stun import TransactionError
from aiortc import (
    RTCBundlePolicy,
    RTCCertificate,
    RTCConfiguration,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from OpenSSL import SSL

from models.errors import AgentError
from runtime.transports.description import DescriptionError, read_description
from runtime.transports.ice import IcePolicy, confine, gatherers

CONNECT_S = 10.0
"""A peer that has not connected by then is given up."""
SILENT_S = 4.0
"""A peer that nothing comes from for so long has vanished."""

_LOOK_S = 0.5
_CLOSE_S = 2.0
_CIPHERS = b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"


def make_certificate() -> RTCCertificate:
    """What a peer proves by who it is."""
    return _Certificate.generateCertificate()


def open_peer(policy: IcePolicy, certificate: RTCCertificate | None = None) -> RTCPeerConnection:
    """A new peer, with a certificate of its own where none is given."""
    ways = RTCIceTransportPolicy.RELAY if policy.relayed else RTCIceTransportPolicy.ALL
    configuration = RTCConfiguration(
        list(policy.servers), bundlePolicy=RTCBundlePolicy.MAX_BUNDLE, iceTransportPolicy=ways
    )
    peer = RTCPeerConnection(configuration)
    vars(peer)["_RTCPeerConnection__certificates"] = [certificate or make_certificate()]
    return peer


class _Certificate(RTCCertificate):
    def _create_ssl_context(self, srtp_profiles: list[Any]) -> SSL.Context:
        """Of the ciphers, that one is preferred whose packets are smallest: by 8 bytes each."""
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(_CIPHERS)
        context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
        return context


async def offer(peer: RTCPeerConnection, policy: IcePolicy) -> str:
    """The offer of a peer that has its tracks and channels, with all its candidates.

    Raises AgentError where a TURN server that is the only way gives none.
    """
    confine(peer, policy)
    await peer.setLocalDescription(await peer.createOffer())
    return _local(peer, policy)


async def answer(
    peer: RTCPeerConnection,
    text: str,
    policy: IcePolicy,
    kinds: Collection[str],
    furnish: Callable[[], None] = lambda: None,
) -> str:
    """The answer to an offer of `kinds`; the peer then waits to be connected to.

    `furnish` gives tracks to the transceivers that the offer has made.

    Raises:
        DescriptionError: the offer cannot be used.
        AgentError: a TURN server that is the only way gives no address.
    """
    await _hear(peer, "offer", text, policy, kinds)
    furnish()
    confine(peer, policy)
    try:
        await peer.setLocalDescription(await peer.createAnswer())
    except Exception as error:
        raise DescriptionError("the offer cannot be answered") from error
    return _local(peer, policy)


async def accept(peer: RTCPeerConnection, text: str, policy: IcePolicy) -> None:
    """Takes the answer to the peer's offer. Raises DescriptionError."""
    kinds = ("audio", "video", "application")
    await _hear(peer, "answer", text, policy, kinds)


async def check_relay(policy: IcePolicy) -> None:
    """Raises AgentError where the policy's TURN server relays nothing."""
    alone = replace(policy, relayed=True)
    peer = open_peer(alone)
    try:
        peer.createDataChannel("")
        await offer(peer, alone)
    finally:
        await close_peer(peer)


def on_connected(peer: RTCPeerConnection, told: Callable[[], None]) -> None:
    """Tells when a peer is connected: the other end has the keys that its description names."""

    def look() -> None:
        if peer.connectionState == "connected":
            told()

    peer.on("connectionstatechange", look)


async def gone(peer: RTCPeerConnection) -> str:
    """Waits until a peer that is connecting or connected is no more; returns why: "closed", "failed" or "vanished"."""
    loop = asyncio.get_running_loop()
    heard_s = look_s = loop.time()
    heard, connected = 0, False
    while True:
        look_s = max(look_s + _LOOK_S, loop.time())
        await asyncio.sleep(look_s - loop.time())
        if peer.connectionState in ("closed", "failed"):
            return str(peer.connectionState)
        if peer.connectionState != "connected":
            if not connected and loop.time() - heard_s > CONNECT_S:
                return "failed"
            continue
        with suppress(ConnectionError):
            if not connected or await round_trip_ns(peer) is not None:
                heard_s = loop.time()
        connected = True
        if (received := _packets_received(peer)) > heard:
            heard_s, heard = loop.time(), received
        if loop.time() - heard_s > SILENT_S:
            return "vanished"


async def round_trip_ns(peer: RTCPeerConnection) -> int | None:
    """How long a packet takes to the other end and back; None if it does not come back within half a second.

    Raises ConnectionError before the peer is connected and once it is not.
    """
    connection = next(gatherers(peer))._connection
    pair = connection._nominated.get(1)
    if pair is None or connection.remote_password is None:
        raise ConnectionError("not connected")
    request = connection.build_request(pair, nominate=False)
    key = connection.remote_password.encode()
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    try:
        await pair.protocol.request(request, pair.remote_addr, integrity_key=key, retransmissions=0)
    except TransactionError:
        return None
    return round((loop.time() - begun_s) * 1e9)


def _packets_received(peer: RTCPeerConnection) -> int:
    """Of sound, pictures, data and reports."""
    transport = peer.sctp.transport if peer.sctp is not None else peer.getTransceivers()[0].receiver.transport
    [stats] = transport._get_stats().values()
    return int(stats.packetsReceived)


async def close_peer(peer: RTCPeerConnection) -> None:
    """Says goodbye and frees the peer, whatever the other end does. May be called twice."""
    with suppress(TimeoutError, ConnectionError):
        await asyncio.wait_for(peer.close(), _CLOSE_S)


def _local(peer: RTCPeerConnection, policy: IcePolicy) -> str:
    text = str(peer.localDescription.sdp)
    if policy.relayed and " typ relay" not in text:
        trust = ", or its certificate is not trusted" if policy.encrypted else ""
        raise AgentError(f"the TURN server relays nothing: it does not answer, or refuses the user and password{trust}")
    return text


async def _hear(peer: RTCPeerConnection, kind: str, text: str, policy: IcePolicy, kinds: Collection[str]) -> None:
    text = read_description(text, policy, kinds)
    try:
        await peer.setRemoteDescription(RTCSessionDescription(text, kind))
    except Exception as error:  # aiortc has no single kind for what it cannot use
        raise DescriptionError(f"the {kind} cannot be used: {error}") from error
