"""Joining over HTTP: links, proofs, limits, and peers that stay on this machine."""

import asyncio
import re
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiortc import RTCPeerConnection

from models.errors import AgentError, InputError
from runtime.transports.description import DescriptionError, read_description
from runtime.transports.ice import IcePolicy, policy_for
from runtime.transports.joining import RefusedError, UnansweredError, join, post_offer
from runtime.transports.links import Link, parse_link, prove, resume_token
from runtime.transports.peer import accept, close_peer, gone, make_certificate, offer, open_peer
from runtime.transports.signalling import SDP
from tests.runtime.peers import HERE, Host, hosting, run, until


def guest() -> RTCPeerConnection:
    peer = open_peer(HERE)
    peer.createDataChannel("talk")
    return peer


async def post(http: aiohttp.ClientSession, host: Host, body: bytes, **headers: str) -> int:
    headers = {"Content-Type": SDP, "Authorization": f"Bearer {host.invitation.secret}"} | headers
    async with http.post(f"{host.base}/join", data=body, headers=headers) as response:
        return response.status


def test_a_guest_joins_talks_leaves_and_comes_back() -> None:
    async def test() -> None:
        host = Host()
        async with hosting(host) as http:
            peer = open_peer(HERE)
            channel = peer.createDataChannel("talk")
            session = await join(http, parse_link(str(host.link)), "/join", peer, HERE)
            await until(lambda: channel.readyState == "open")
            channel.send("hello")
            await until(lambda: host.said == ["hello"])
            with pytest.raises(RefusedError, match="used up"):
                await join(http, host.link, "/join", guest(), HERE)
            left = asyncio.create_task(gone(host.peers[0]))
            await session.leave()
            assert await left == "closed"
            assert host.peers == []
            assert session.resume is not None
            for _ in range(3):
                session = await join(http, session.resume, "/join", guest(), HERE)
                await until(lambda peer=session.peer: peer.connectionState == "connected")
                await session.leave()
                assert session.resume is not None
            with pytest.raises(RefusedError, match="used up"):
                await join(http, host.link, "/join", guest(), HERE)

    run(test())


def test_nothing_leaves_this_machine() -> None:
    async def test() -> None:
        peer = guest()
        text = await offer(peer, HERE)
        await close_peer(peer)
        addresses = {line.split()[4] for line in text.splitlines() if line.startswith("a=candidate:")}
        assert addresses == {"127.0.0.1"}

    run(test())


@pytest.mark.parametrize(
    ("host", "servers", "stays", "permits"),
    [
        ("localhost", [], True, {"127.0.0.1": True, "192.0.2.9": False, "a.local": False}),
        ("192.0.2.2", [], False, {"127.0.0.1": True, "192.0.2.9": True, "a.local": False}),
        ("127.0.0.1", ["stun:192.0.2.1"], False, {"192.0.2.9": True}),
    ],
)
def test_policies(host: str, servers: list[str], stays: bool, permits: dict[str, bool]) -> None:
    policy = policy_for(host, servers)
    assert policy.stays_here == stays
    assert {address: policy.permits(address) for address in permits} == permits


@pytest.mark.parametrize(
    ("host", "servers", "relayed"),
    [
        ("there", [], False),
        ("0.0.0.0", ["http://stun"], False),
        ("::", ["stun:"], False),
        ("0.0.0.0", ["turn:ann:secret@192.0.2.1"], False),
        ("0.0.0.0", ["turn:ann@192.0.2.1"], False),
        ("0.0.0.0", ["stun:192.0.2.1"], True),
        ("0.0.0.0", [], True),
    ],
)
def test_policies_that_are_none(host: str, servers: list[str], relayed: bool) -> None:
    with pytest.raises(InputError, match="give") as caught:
        policy_for(host, servers, relayed=relayed)
    assert "secret" not in str(caught.value)


def test_an_offer_is_refused_for_what_it_is() -> None:
    async def test() -> None:
        host = Host()
        async with hosting(host) as http:
            peer = guest()
            good = (await offer(peer, HERE)).encode()
            await close_peer(peer)
            for body, headers, status in (
                (good, {"Content-Type": "text/plain"}, 415),
                (b"v=0\r\n" + b"a" * 70_000, {}, 413),
                (b"\xff\xfe", {}, 400),
                (b"hello", {}, 400),
                (good.replace(b"m=application", b"m=video"), {}, 400),
                (good.replace(b"a=ice-pwd:", b"a=x:"), {}, 400),
                (good.replace(b"a=fingerprint:", b"a=x:"), {}, 400),
                (good + b"a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n" * 70, {}, 400),
                (good, {"Authorization": "Bearer no"}, 401),
                (good, {"Authorization": "Bearer \udce9"}, 401),
                (good, {"Authorization": ""}, 401),
            ):
                assert await post(http, host, body, **headers) == status, (body[:80], headers)
        assert host.peers == []

    run(test())


def test_candidates_of_one_medium_are_those_of_all_and_no_others() -> None:
    async def test() -> None:
        peer = open_peer(HERE)
        peer.createDataChannel("talk")
        peer.addTransceiver("audio")
        good = await offer(peer, HERE)
        await close_peer(peer)
        first, *others = good.split("m=")
        line = "a=candidate:1 1 udp 1 {} 9 typ srflx raddr 0.0.0.0 rport 0\r\n"
        without = [re.sub("a=candidate.*\n|a=end-of-candidates.*\n", "", media) for media in others]
        named = (
            line.format("127.0.0.1") + line.format("192.0.2.7") + line.format("abc.local") + "a=end-of-candidates\r\n"
        )
        told = "m=".join([first, without[0] + named, *without[1:]])
        text = read_description(told, HERE)
        assert text == "m=".join([first, *(media + line.format("127.0.0.1") for media in without)])
        assert read_description(text, HERE) == text

    run(test())


def test_an_answer_too_is_read_within_limits() -> None:
    async def test() -> None:
        peer = guest()
        good = await offer(peer, HERE)
        await close_peer(peer)
        assert "a=fingerprint" in read_description(good, HERE)
        for more in ("a=x\r\n" * 2100, f"a={'x' * 5000}\r\n", "a=123456789\r\n" * 1900 + f"a={'x' * 4000}\r\n" * 10):
            with pytest.raises(DescriptionError, match="too large"):
                read_description(good + more, HERE)

    run(test())


@pytest.mark.parametrize("candidate", ["x", "1 1 udp 1", ""])
def test_a_candidate_of_too_few_words_is_refused(candidate: str) -> None:
    async def test() -> None:
        peer = guest()
        good = await offer(peer, HERE)
        await close_peer(peer)
        of_the_session, media = good.split("m=", 1)
        with pytest.raises(DescriptionError, match="cannot be read"):
            read_description(f"{of_the_session}a=candidate:{candidate}\r\nm={media}", HERE)

    run(test())


def test_a_proof_holds_for_its_own_offer_and_link_alone() -> None:
    async def test() -> None:
        host = Host()
        async with hosting(host) as http:
            peer, other = guest(), guest()
            mine, theirs = await offer(peer, HERE), await offer(other, HERE)
            for secret, text in ((host.invitation.secret, theirs), ("another", mine)):
                proof = f"Proof {prove(secret, 'guest', text)}"
                assert await post(http, host, mine.encode(), Authorization=proof) == 401
            await close_peer(peer)
            await close_peer(other)

    run(test())


def test_an_answer_from_somebody_else_is_not_taken() -> None:
    async def test() -> None:
        host = Host()
        async with hosting(host) as http:
            host.invitation.take = lambda authorization, text: "something else"  # type: ignore[method-assign]
            with pytest.raises(RefusedError, match="whoever made the link"):
                await join(http, host.link, "/join", guest(), HERE)

    run(test())


def test_no_more_guests_than_places_and_no_more_attempts_than_a_person_makes() -> None:
    async def test() -> None:
        host = Host(places=1)
        async with hosting(host) as http:
            session = await join(http, host.link, "/join", guest(), HERE)
            host.invitation.next_link()
            with pytest.raises(AgentError, match="no room") as caught:
                await join(http, host.link, "/join", guest(), HERE)
            assert not isinstance(caught.value, InputError)  # one may try again
            assert host.invitation.take(f"Bearer {host.link.secret}", "") is not None  # the link is not used up by it
            found = [await post(http, host, b"x", Authorization="Bearer no") for _ in range(20)]
            assert found[0] == 401
            assert found[-1] == 429
            await session.leave()

    run(test())


def test_a_stranger_keeps_nobody_out() -> None:
    async def test() -> None:
        host = Host(places=1)
        async with hosting(host) as http:
            session = await join(http, host.link, "/join", guest(), HERE)
            await until(lambda: session.peer.connectionState == "connected")
            for scheme in ("Bearer", "Proof"):
                for _ in range(20):
                    await post(http, host, b"x", Authorization=f"{scheme} no")
            await session.leave()
            session = await join(http, session.resume, "/join", guest(), HERE)
            await session.leave()
            with pytest.raises(AgentError, match=r"\(429\)") as caught:
                for _ in range(20):
                    session = await join(http, session.resume, "/join", guest(), HERE)
                    await session.leave()
            assert not isinstance(caught.value, InputError)  # one may try again

    run(test())


@pytest.mark.parametrize(
    ("status", "kind", "body", "told"),
    [
        (200, "text/html", "<html>Welcome", r"is no WHIP server: it answers 200 in place of 201$"),
        (404, "text/html", "<html>Not here</html>", r"refuses \(404\): Not Found$"),
        (403, "text/plain", "no\x1b[2J\x07 \n way.", r"refuses \(403\): no\[2J way$"),
    ],
)
def test_what_other_servers_say_is_told_in_one_plain_line(status: int, kind: str, body: str, told: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=kind)

    async def test() -> None:
        app = web.Application()
        app.add_routes([web.post("/whip", answer)])
        async with TestServer(app) as server, aiohttp.ClientSession() as http:
            with pytest.raises(RefusedError, match=told):
                await post_offer(http, str(server.make_url("/whip")), guest(), HERE)

    run(test())


def test_why_nobody_is_reached() -> None:
    async def test() -> None:
        async with TestServer(web.Application()) as server, aiohttp.ClientSession() as http:
            for url, why in (
                (f"https://127.0.0.1:{server.port}/", r"it speaks no TLS there: try http in place of https$"),
                ("http://nowhere.invalid/", r"there is no such name$|its name cannot be looked up now$"),
            ):
                with pytest.raises(AgentError, match=why):
                    await post_offer(http, url, guest(), HERE)

    run(test())


def test_two_who_come_at_once_with_one_link_are_not_both_let_in() -> None:
    async def test() -> None:
        host = Host()
        async with hosting(host) as http:
            host.slow = asyncio.Event()
            first = asyncio.create_task(join(http, host.link, "/join", guest(), HERE))
            await until(lambda: len(host.peers) == 1)
            for link in (host.link, host.link):
                with pytest.raises(AgentError, match="joining with this link") as caught:
                    await join(http, link, "/join", guest(), HERE)
                assert not isinstance(caught.value, InputError)  # one may try again
            host.slow.set()
            session = await first
            await until(lambda: session.peer.connectionState == "connected")
            with pytest.raises(RefusedError, match="used up"):
                await join(http, host.link, "/join", guest(), HERE)
            await session.leave()

    run(test())


def test_a_guest_whose_answer_was_lost_comes_again_with_the_same_keys_and_nobody_else_in_between() -> None:
    async def test() -> None:
        host, certificate = Host(places=1), make_certificate()

        def again() -> RTCPeerConnection:
            peer = open_peer(HERE, certificate)
            peer.createDataChannel("talk")
            return peer

        async with hosting(host) as http:
            host.lose_answer = True
            with pytest.raises(UnansweredError):
                await join(http, host.link, "/join", again(), HERE)
            [lost] = host.peers
            with pytest.raises(AgentError, match="joining with this link"):
                await join(http, host.link, "/join", guest(), HERE)
            session = await join(http, host.link, "/join", again(), HERE)
            assert lost not in host.peers and len(host.peers) == 1
            await until(lambda: session.peer.connectionState == "connected")
            for peer in (guest(), again()):
                with pytest.raises(RefusedError, match="used up"):
                    await join(http, host.link, "/join", peer, HERE)
            assert len(host.peers) == 1 and session.resume is not None
            await session.leave()
            session = await join(http, session.resume, "/join", guest(), HERE)
            await until(lambda: session.peer.connectionState == "connected")
            await session.leave()

    run(test())


def test_a_link_by_which_no_connection_came_about_is_as_good_as_before() -> None:
    async def test() -> None:
        host = Host()
        async with hosting(host) as http:
            session = await join(http, host.link, "/join", guest(), HERE)
            await session.leave()
            session = await join(http, host.link, "/join", guest(), HERE)
            await until(lambda: session.peer.connectionState == "connected")
            await session.leave()
            with pytest.raises(RefusedError, match="used up"):
                await join(http, host.link, "/join", guest(), HERE)

    run(test())


@pytest.mark.parametrize("shown", [False, True])
def test_what_was_overheard_lets_nobody_in(shown: bool) -> None:
    async def test() -> None:
        host = Host(places=4)
        async with hosting(host) as http:
            peers = [guest(), guest()]
            secret = host.link.secret
            for peer in peers:
                text = await offer(peer, HERE)
                told = f"Bearer {secret}" if shown else f"Proof {prove(secret, 'guest', text)}"
                headers = {"Content-Type": SDP, "Authorization": told}
                async with http.post(f"{host.base}/join", data=text.encode(), headers=headers) as answered:
                    assert answered.status == 201
                    await accept(peer, await answered.text(), HERE)
                    await until(lambda peer=peer: peer.connectionState == "connected")
                    resume = answered.headers.get("X-Resume-Token")
                    assert (resume is None) != shown, "it is sent to none that can work it out"
                    secret = resume or resume_token(secret, text, await answered.text())
                assert await post(http, host, text.encode(), Authorization=told) == 401
                await close_peer(peer)

    run(test())


def test_browsers_learn_the_way_through_networks_and_no_password() -> None:
    told = {
        "turn:192.0.2.1:3479": ["stun:192.0.2.2:3478", "stun:192.0.2.1:3479"],
        "turn:192.0.2.1?transport=tcp": ["stun:192.0.2.2:3478", "stun:192.0.2.1:3478"],
        "turns:192.0.2.1": ["stun:192.0.2.2:3478"],
    }
    for turn, servers in told.items():
        assert policy_for("0.0.0.0", ["stun:192.0.2.2", turn], "ann", "secret").for_browsers == servers
    policy = policy_for("0.0.0.0", ["turn:192.0.2.1:3479", "stun:192.0.2.2"], "ann", "secret")

    async def test() -> None:
        host = Host(policy=policy)
        async with hosting(host) as http, http.options(f"{host.base}/join") as told:
            assert told.headers["Link"] == (
                '<stun:192.0.2.1:3479>; rel="ice-server", <stun:192.0.2.2:3478>; rel="ice-server"'
            )
            assert "secret" not in str(told.headers)

    run(test())


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1", "http://a/", "ftp://a/#token=b", "http://a/#token=", "http:///#token=b"]
)
def test_links_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="no link"):
        parse_link(text)


def test_nobody_answers() -> None:
    async def test() -> None:
        async with aiohttp.ClientSession() as http:
            for base in ("http://127.0.0.1:9", "http://127.0.0.1:9/#", "https://127.0.0.1:9"):
                with pytest.raises(AgentError, match=r"does not answer: connection refused$"):
                    await post_offer(http, replace(Link("", "x"), base=base).base, guest(), IcePolicy())

    run(test())
