"""Through a real TURN server and no other way: calls, and viewers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiortc import RTCPeerConnection

from models.errors import AgentError
from runtime.sinks.webrtc import PATH, WebRtc
from runtime.transports import joining
from runtime.transports.links import parse_link
from runtime.transports.peer import check_relay, close_peer, open_peer
from tests.browser import reads
from tests.runtime.calling_browser import MOTIONS, join, moving, open_page
from tests.runtime.calls import End, connected, ice_of, talk
from tests.runtime.peers import HERE, run
from tests.runtime.turn_server import TurnServer, relayed, turn_server
from tests.runtime.webrtc_feed import coloured, feeding, open_sink

if TYPE_CHECKING:
    from playwright.sync_api import Page

BLUE = (40, 80, 200)
ROUTE = """async () => {
    const reports = [...(await peer.getStats()).values()];
    const pair = reports.find(({ type, nominated }) => type === "candidate-pair" && nominated);
    return [reports.find(({ id }) => id === pair.remoteCandidateId), pair.bytesReceived];
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    with turn_server(tmp_path_factory.mktemp("turn")) as server:
        yield server


@pytest.fixture(params=["udp", "tcp", "tls"])
def ways(request: pytest.FixtureRequest, server: TurnServer, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """What an agent is told that browsers join through the server; whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    return server.stun, server.at(request.param)


@pytest.fixture
def sink(server: TurnServer) -> Iterator[WebRtc]:
    sink = open_sink(policy=relayed(server.udp)("127.0.0.1"))
    yield sink
    sink.close()


def way(ice: Any) -> tuple[str, str]:
    """Of what kind the addresses are between which a connection goes."""
    pair = ice._connection._nominated[1]
    return pair.local_candidate.type, pair.remote_candidate.type


def candidates(peer: RTCPeerConnection) -> list[str]:
    return [line for line in peer.localDescription.sdp.splitlines() if line.startswith("a=candidate")]


@pytest.mark.parametrize("both", [True, False])
def test_a_call_goes_through_the_server_and_tells_no_other_address(ways: tuple[str, str], both: bool) -> None:
    anna = End("Anna", policy_at=relayed(*ways)).listen()
    ben = End("Ben", policy_at=relayed(*ways) if both else lambda host: HERE).call(anna.link)
    try:
        connected(ben, anna)
        assert talk(anna, ben, 1.0)[-1].confidence > 0
        assert talk(ben, anna, 1.0)[-1].confidence > 0
        assert way(ice_of(anna))[0] == "relay"
        assert way(ice_of(ben)) == ("relay" if both else "host", "relay")
        for end in (anna, ben) if both else (anna,):
            assert end.line.peer is not None
            told = candidates(end.line.peer.peer)
            assert told and all("typ relay raddr 0.0.0.0" in line for line in told), told
    finally:
        ben.close()
        anna.close()


def test_a_viewer_sees_through_the_server(server: TurnServer, sink: WebRtc) -> None:
    async def watch() -> None:
        policy = relayed(server.udp)("127.0.0.1")
        peer = open_peer(policy)
        peer.addTransceiver("video", "recvonly")
        async with aiohttp.ClientSession() as http:
            session = await joining.join(http, parse_link(sink.url), PATH, peer, policy)
            frame = await peer.getReceivers()[0].track.recv()
            assert abs(int(frame.to_ndarray(format="rgb24")[40, 40, 2]) - BLUE[2]) < 12
            assert next(way_of(peer)) == ("relay", "relay")
            await session.leave()

    with feeding(sink, lambda: coloured(BLUE)):
        run(watch())


def way_of(peer: RTCPeerConnection) -> Iterator[tuple[str, str]]:
    return (way(transceiver.receiver.transport.transport) for transceiver in peer.getTransceivers())


def test_whether_a_server_relays_is_known_before_anybody_calls(server: TurnServer) -> None:
    run(check_relay(relayed(server.udp)("127.0.0.1")))
    with pytest.raises(AgentError, match="refuses the user and password"):
        run(check_relay(relayed(server.udp, password="wrong")("127.0.0.1")))


def test_a_server_that_refuses_the_password_is_told(server: TurnServer, caplog: pytest.LogCaptureFixture) -> None:
    refused = relayed(server.udp, password="wrong")
    anna = End("Anna", policy_at=relayed(server.udp)).listen()
    ben = End("Ben", policy_at=refused).call(anna.link).ended()
    assert "refuses the user and password" in str(ben.endings[0])
    anna.close()
    eve = End("Eve", policy_at=refused).listen()
    link = eve.link
    dan = End("Dan").call(link).ended()
    assert isinstance(dan.endings[0], AgentError) and "relays nothing" in str(dan.endings[0])
    assert "somebody could not join: the TURN server relays nothing" in caplog.text
    assert eve.link == link and dan.endings[0].exit_code == 1, "which can be tried again"
    eve.close()


def test_a_server_whose_certificate_nobody_vouches_for_is_told(server: TurnServer) -> None:
    eve = End("Eve", policy_at=relayed(server.tls)).listen()
    dan = End("Dan").call(eve.link).ended()
    assert "its certificate is not trusted" in str(dan.endings[0])
    eve.close()


def test_a_server_that_is_not_there_is_told() -> None:
    async def test() -> None:
        policy = relayed("turn:127.0.0.1:9")("127.0.0.1")
        peer = open_peer(policy)
        peer.createDataChannel("talk")
        async with aiohttp.ClientSession() as http:
            with pytest.raises(AgentError, match="does not answer"):
                await joining.join(http, parse_link("http://127.0.0.1:9/#token=x"), "/", peer, policy)
        await close_peer(peer)

    run(test())


def test_a_browser_sees_through_the_server_without_its_password(sink: WebRtc, page: "Page") -> None:
    with feeding(sink, lambda: coloured(BLUE)):
        page.goto(sink.url)
        reads(page, state="Live")
        remote, received = page.evaluate(ROUTE)
        assert remote["candidateType"] == "relay" and received > 0
        [servers] = [server["urls"] for server in page.evaluate("() => peer.getConfiguration().iceServers")]
        assert servers[0].startswith("stun:127.0.0.1:")
        page.reload()
        reads(page, state="Live")


def test_a_browser_calls_through_the_server(ways: tuple[str, str], package: bytes, page: "Page") -> None:
    anna = End("Anna", avatar=package, policy_at=relayed(*ways)).listen()
    try:
        join(page, anna)
        with moving(anna, MOTIONS["speaks"]):
            assert way(ice_of(anna)) == ("relay", "srflx")
            remote, received = page.evaluate(ROUTE)
            assert remote["candidateType"] == "relay" and received > 0
            page.wait_for_function("() => Number(document.getElementById('rate').textContent) > 0")
        page.locator("#leave").click()
        anna.ended()
    finally:
        anna.close()


def test_a_browser_that_learns_no_address_of_its_own_is_told_why(
    server: TurnServer, package: bytes, page: "Page", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    anna = End("Anna", avatar=package, policy_at=relayed(server.tls)).listen()
    open_page(page, anna.link)
    page.locator("#join").click()
    reads(page, state="Failed")
    assert "--ice-server stun:HOST:PORT" in page.locator("#why").inner_text()
    anna.close()
