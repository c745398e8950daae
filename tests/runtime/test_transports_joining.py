"""Joining over HTTP: links, proofs, limits, and peers that stay on this machine."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest
from aiortc import RTCPeerConnection

from models.errors import AgentError, InputError
from runtime.clock import FakeClock
from runtime.transports.description import DescriptionError, read_description
from runtime.transports.ice import IcePolicy, policy_for
from runtime.transports.joining import RefusedError, join, post_offer
from runtime.transports.links import Invitation, Link, parse_link, prove
from runtime.transports.peer import close_peer, gone, offer, open_peer
from runtime.transports.signalling import SDP, Attempts
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
        host = Host(uses=1)
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
            again = await join(http, session.resume, "/join", guest(), HERE)
            await until(lambda: again.peer.connectionState == "connected")
            with pytest.raises(RefusedError, match="used up"):
                await join(http, session.resume, "/join", guest(), HERE)
            await again.leave()

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


@pytest.mark.parametrize(("host", "servers"), [("there", []), ("0.0.0.0", ["http://stun"]), ("::", ["stun:"])])
def test_policies_that_are_none(host: str, servers: list[str]) -> None:
    with pytest.raises(InputError, match="give"):
        policy_for(host, servers)


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
            host.invitation.secret_of = lambda authorization, text: "something else"  # type: ignore[method-assign]
            with pytest.raises(RefusedError, match="whoever made the link"):
                await join(http, host.link, "/join", guest(), HERE)

    run(test())


def test_no_more_guests_than_places_and_no_more_attempts_than_a_person_makes() -> None:
    async def test() -> None:
        host = Host(uses=9, places=1)
        async with hosting(host) as http:
            session = await join(http, host.link, "/join", guest(), HERE)
            with pytest.raises(AgentError, match="no room") as caught:
                await join(http, host.link, "/join", guest(), HERE)
            assert not isinstance(caught.value, InputError)  # one may try again
            found = [await post(http, host, b"x", Authorization="Bearer no") for _ in range(20)]
            assert found[0] == 401
            assert found[-1] == 429
            await session.leave()

    run(test())


def test_attempts_are_given_back_over_time() -> None:
    clock = FakeClock()
    attempts = Attempts(clock, burst=2, every_ns=100)
    assert [attempts.take() for _ in range(3)] == [True, True, False]
    clock.advance(100)
    assert [attempts.take() for _ in range(2)] == [True, False]


def test_a_link_expires() -> None:
    clock = FakeClock()
    invitation = Invitation(clock, 10, uses=3, places=2)
    assert invitation.secret_of(f"Bearer {invitation.secret}", "") == invitation.secret
    resume = invitation.joined(invitation.secret, "a", "b")
    clock.advance(10_000_000_000)
    assert invitation.secret_of(f"Bearer {invitation.secret}", "") is None
    assert invitation.secret_of(f"Bearer {resume}", "") == resume


def test_only_the_newest_guests_can_come_back() -> None:
    invitation = Invitation(FakeClock(), 10, uses=3, places=1)
    tokens = [invitation.joined(invitation.secret, f"a=fingerprint:{k}", "") for k in range(2)]
    assert [invitation.secret_of(f"Bearer {token}", "") for token in tokens] == [None, tokens[1]]


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
