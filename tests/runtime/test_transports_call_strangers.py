"""Ends of a call that mean harm: somebody without the link, or with it and none of our code behind it."""

import asyncio
import random
import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiortc import RTCDataChannel

from models.errors import AgentError
from models.motion_codec import MotionEncoder
from runtime.transports.call_control import (
    Bye,
    Hello,
    ProtocolError,
    Ready,
    Want,
    digest_of,
    offered,
    read,
    write,
)
from runtime.transports.caller import PATH
from runtime.transports.ice import IcePolicy
from runtime.transports.joining import RefusedError, join
from runtime.transports.links import prove
from runtime.transports.peer import accept, close_peer, offer, open_peer
from runtime.transports.signalling import SDP
from runtime.transports.voice import VoiceTrack
from tests.agent.command import wait_until
from tests.models.motions import talking
from tests.runtime.calls import CLOCK, End
from tests.runtime.peers import until

HERE = IcePolicy()


class Stranger:
    """Somebody who has the link and none of our code behind it."""

    def __init__(self, end: End) -> None:
        self.end, self.heard = end, []
        self.control: RTCDataChannel
        self.motion: RTCDataChannel

    def do(self, deed: Callable[["Stranger"], Coroutine[Any, Any, None]]) -> None:
        async def meet() -> None:
            peer = open_peer(HERE)
            peer.addTrack(VoiceTrack(CLOCK, self.end.say))
            self.control = peer.createDataChannel("control", negotiated=True, id=0)
            self.motion = peer.createDataChannel("motion", negotiated=True, id=1, ordered=False, maxRetransmits=0)
            self.control.on("message", self.heard.append)
            async with aiohttp.ClientSession() as http:
                await join(http, self.end.link, PATH, peer, HERE)
                await until(lambda: self.control.readyState == "open" and bool(self.heard))
                await deed(self)
            await close_peer(peer)

        asyncio.run(asyncio.wait_for(meet(), 30))

    async def thrown_out(self) -> str:
        """What is said at last."""
        await until(lambda: bool(self.end.endings))
        [*_, last] = [read(said) for said in self.heard if isinstance(said, str)]
        assert isinstance(last, Bye)
        assert isinstance(self.end.endings[0], ProtocolError)
        return last.reason


def hello_of(portrait: bytes, **changes: Any) -> str:
    return write(Hello("Eve", replace(offered(portrait), **changes), may_keep=True))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([b"picture"], "nobody asked for"),
        (["{"], "cannot be read"),
        (["[" * 2000], "cannot be read"),
        ([" " * 3000], "too long"),
        (["7"], "is none"),
        ([hello_of(b"x").replace('"version": 1', '"version": 2')], "bring both ends up to date"),
        ([hello_of(b"x", size=2 << 20)], "larger than 1024 KB"),
        ([hello_of(b"x", digest="../../../etc/passwd")], "no SHA-256"),
        ([hello_of(b"x"), hello_of(b"x")], "hello twice"),
        ([hello_of(b"x"), '{"type": "want", "sha256": "' + "0" * 64 + '"}'], "was not offered"),
        (['{"type": "want", "sha256": "' + "0" * 64 + '"}'], "does not say who it is"),
        (['{"type": "ready"}'], "does not say who it is"),
        (['{"type": "later version"}'] * 300, "too much"),
    ],
)
def test_what_no_agent_says_ends_the_call(anna: End, said: list[str | bytes], reason: str) -> None:
    async def deed(stranger: Stranger) -> None:
        for message in said:
            stranger.control.send(message)
        assert reason in await stranger.thrown_out()

    before = anna.link
    Stranger(anna).do(deed)
    assert anna.portraits == []
    assert anna.link != before


@pytest.mark.parametrize(
    ("parts", "reason"), [([b"wrong"], "not the announced one"), ([b"lar", b"ger"], "larger than announced")]
)
def test_another_portrait_than_announced_ends_the_call(anna: End, parts: list[bytes], reason: str) -> None:
    async def deed(stranger: Stranger) -> None:
        stranger.control.send(hello_of(b"right"))
        await until(lambda: any('"want"' in said for said in stranger.heard))
        for part in parts:
            stranger.control.send(part)
        assert reason in await stranger.thrown_out()

    Stranger(anna).do(deed)
    assert anna.portraits == []


def test_motion_that_cannot_be_read_or_comes_too_often_is_counted_and_costs_nothing_else(anna: End) -> None:
    encoder = MotionEncoder()
    packets = [packet for motion in talking(800) if (packet := encoder.push(motion)) is not None]

    async def deed(stranger: Stranger) -> None:
        stranger.control.send(hello_of(b"x"))
        await until(lambda: any('"want"' in said for said in stranger.heard))
        stranger.control.send(b"x")
        stranger.control.send(write(Ready()))
        link = anna.line.peer.link
        draw = random.Random(0)
        for _ in range(5):
            stranger.motion.send(draw.randbytes(draw.randrange(1, 1200)))
        stranger.motion.send("text")
        await until(lambda: link.received == 6)
        assert link.dropped == 6
        for packet in packets:
            stranger.motion.send(packet)
        await until(lambda: link.flooded > 20)
        assert link.received + link.flooded <= 406
        assert anna.line.at(CLOCK.now_ns()) is not None
        assert anna.endings == []

    Stranger(anna).do(deed)


def test_a_portrait_leaves_for_nobody_who_has_no_link_or_says_no_name_and_its_user_is_told_first() -> None:
    anna = End("Anna", avatar=b"avatar" * 9_000).listen()
    base = anna.link.base
    assert anna.myself.avatar is not None
    digest = digest_of(anna.myself.avatar)

    async def knock() -> None:
        paths = ["/", "/call", "/package", "/avatar/package", f"/avatar/{digest}", f"/call/{digest}", f"/{digest}"]
        async with aiohttp.ClientSession() as http:
            for path in paths:
                async with http.get(base + path) as told:
                    body = await told.read()
                    assert b"avatar" * 100 not in body and digest.encode() not in body, path
            peer = open_peer(HERE)
            peer.createDataChannel("control", negotiated=True, id=0)
            with pytest.raises(RefusedError, match="wrong"):
                await join(http, replace(anna.link, secret="guess"), PATH, peer, HERE)
            await close_peer(peer)

    async def nameless(stranger: Stranger) -> None:
        stranger.control.send(write(Want(digest)))
        assert "does not say who it is" in await stranger.thrown_out()
        assert not any(isinstance(said, bytes) for said in stranger.heard)

    async def guest(stranger: Stranger) -> None:
        stranger.control.send(write(Hello("Eve", None, False)))
        stranger.control.send(write(Want(digest)))
        parts = lambda: b"".join(said for said in stranger.heard if isinstance(said, bytes))  # noqa: E731
        await until(lambda: parts() == anna.myself.avatar)
        assert [hello.name for hello in anna.calls] == ["Eve"]

    asyncio.run(knock())
    Stranger(anna).do(nameless)
    assert anna.calls == []
    anna.endings.clear()
    Stranger(anna).do(guest)
    anna.close()


def test_an_offer_in_the_name_of_somebody_else_gets_no_connection(anna: End) -> None:
    """Its proof holds for the keys that it names: who has others does not get through the handshake."""

    async def meet() -> None:
        peer, other = open_peer(HERE), open_peer(HERE)
        for each in (peer, other):
            each.addTrack(VoiceTrack(CLOCK, anna.say))
            each.createDataChannel("control", negotiated=True, id=0)
        theirs = await offer(other, HERE)
        mine = await offer(peer, HERE)
        named = [line for line in theirs.splitlines() if line.startswith("a=fingerprint")][:3]
        forged = re.sub(r"(a=fingerprint.*\r\n)+", "".join(f"{line}\r\n" for line in named), mine)
        proof = f"Proof {prove(anna.link.secret, 'guest', forged)}"
        headers = {"Content-Type": SDP, "Authorization": proof}
        async with (
            aiohttp.ClientSession() as http,
            http.post(anna.link.base + PATH, data=forged.encode(), headers=headers) as told,
        ):
            assert told.status == 201
            await accept(peer, await told.text(), HERE)
        await until(lambda: peer.connectionState in ("failed", "closed") or bool(anna.endings) or bool(anna.lines))
        assert anna.calls == []
        await close_peer(peer)
        await close_peer(other)

    asyncio.run(asyncio.wait_for(meet(), 30))


@pytest.mark.parametrize(
    ("method", "headers", "body", "status"),
    [
        ("POST", {}, b"x", 401),
        ("POST", {"Origin": "http://evil.example"}, b"x", 403),
        ("OPTIONS", {"Origin": "http://evil.example"}, b"", 403),
        ("POST", {"Host": "evil.example"}, b"x", 403),
        ("POST", {}, b"x" * 70_000, 413),
        ("POST", {}, b"\xff", 400),
        ("PUT", {}, b"x", 405),
        ("OPTIONS", {}, b"", 200),
    ],
)
def test_who_comes_without_the_link_or_by_another_site(
    anna: End, method: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    async def ask() -> None:
        told = {"Content-Type": SDP} | headers
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, anna.link.base + PATH, data=body, headers=told) as answered,
        ):
            assert answered.status == status
            assert "Access-Control-Allow-Origin" not in answered.headers

    asyncio.run(ask())
    assert anna.calls == [] and anna.line.peer is None


@pytest.mark.parametrize(
    "said",
    [
        '{"type": "portrait", "portrait": {"sha256": "ab", "bytes": 9}}',
        '{"type": "portrait", "portrait": {"sha256": "%s", "bytes": 0}}' % (64 * "a"),
        '{"type": "portrait"}',
    ],
)
def test_another_portrait_that_is_none_ends_the_call(anna: End, ben: End, said: str) -> None:
    assert ben.line.peer is not None
    channel = ben.line.peer._control
    ben.line.peer._loop.call_soon_threadsafe(channel.send, said)
    wait_until(lambda: bool(anna.endings), 20)
    assert isinstance(ben.ended().endings[0], (AgentError, str))


def test_a_portrait_is_not_changed_before_it_is_shown(anna: End, ben: End) -> None:
    assert ben.line.peer is not None
    said = '{"type": "portrait", "portrait": {"sha256": "%s", "bytes": 9}}' % (64 * "a")
    for _ in range(2):
        ben.line.peer._loop.call_soon_threadsafe(ben.line.peer._control.send, said)
    wait_until(lambda: bool(anna.endings), 20)
    assert "not shown yet" in str(anna.endings[0])
