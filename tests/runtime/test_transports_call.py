"""Two ends of a call over real connections: portraits, motion, voice, losses, and ends that mean harm."""

import asyncio
import random
import re
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from aiortc import RTCDataChannel

from models.errors import AgentError
from models.motion_codec import MotionEncoder
from runtime.transports.call_control import (
    Bye,
    Hello,
    Offered,
    Parts,
    ProtocolError,
    Ready,
    Want,
    digest_of,
    offered,
    read,
    write,
)
from runtime.transports.call_peer import CallPeer
from runtime.transports.caller import PATH
from runtime.transports.ice import IcePolicy
from runtime.transports.joining import RefusedError, join
from runtime.transports.links import prove
from runtime.transports.peer import accept, close_peer, offer, open_peer
from runtime.transports.signalling import SDP, Signalling
from runtime.transports.voice import VoiceTrack
from tests.agent.command import wait_until
from tests.models.motions import talking
from tests.runtime.calls import CLOCK, End, connected, lose, talk
from tests.runtime.peers import until

pytestmark = pytest.mark.alone

HERE = IcePolicy()


def refused(end: End) -> bool:
    return bool(end.endings) and isinstance(end.endings[0], RefusedError) and "used up" in str(end.endings[0])


@pytest.fixture
def anna():
    end = End("Anna").listen()
    yield end
    end.close()


@pytest.fixture
def ben(anna):
    end = End("Ben").call(anna.link)
    connected(end, anna)
    yield end
    end.close()


def test_portraits_come_once_motion_and_voice_go_both_ways_and_a_goodbye_ends_it(anna: End, ben: End) -> None:
    assert (anna.portraits, ben.portraits) == ([ben.myself.portrait], [anna.myself.portrait])
    assert [hello.name for hello in (*anna.calls, *ben.calls)] == ["Ben", "Anna"]
    there = threading.Thread(target=talk, args=(ben, anna, 3.0))
    there.start()
    shown = talk(anna, ben, 3.0)
    there.join()
    assert len(shown) > 30  # of 75; a busy machine may begin late
    assert max(motion.confidence for motion in shown) > 0.99
    assert np.ptp([motion["jawOpen"] for motion in shown]) > 0.05
    assert 0 < len(anna.sounds) < 100 and 0 < len(ben.sounds) < 100  # no packets between the beeps
    old_link = anna.link
    ben.close("dinner")
    wait_until(lambda: anna.endings == ["dinner"], 5)
    assert ben.endings == ["dinner"]
    assert refused(End("Eve").call(old_link).ended())
    again = End("Ben", kept={digest_of(anna.myself.portrait): anna.myself.portrait}).call(anna.link)
    connected(again, anna)
    assert again.line.peer is not None and anna.line.peer is not None
    assert not anna.line.peer.portraits_sent  # it had the portrait
    again.close()


def test_nobody_else_gets_in_with_a_link_that_was_used(anna: End, ben: End) -> None:
    eve = End("Eve").call(anna.link).ended()
    assert refused(eve)
    assert talk(anna, ben, 1.0)[-1].confidence > 0
    assert len(anna.calls) == 1


def test_the_voice_is_stamped_by_the_clock_of_motion(anna: End, ben: End) -> None:
    shown = talk(anna, ben, 4.2)
    late_ns = []
    for sound in ben.sounds[25:]:
        loud = np.flatnonzero(np.abs(sound.samples[:, 0]) > 0.1)
        if len(loud) and (not late_ns or sound.pts_ns - late_ns[-1][0] > 500_000_000):
            onset_ns = sound.pts_ns + loud[0] * 1_000_000_000 // sound.rate_hz
            late_ns.append((sound.pts_ns, (onset_ns + 500_000_000) % 1_000_000_000 - 500_000_000))
    assert len(late_ns) >= 3
    assert -30_000_000 < np.median([late for _, late in late_ns]) < 60_000_000
    assert abs(shown[-1].pts_ns - CLOCK.now_ns()) < 300_000_000


def test_losses_cost_neither_the_connection_nor_the_flow(anna: End, ben: End) -> None:
    lose(anna, 0.2)
    lose(ben, 0.2, seed=1)
    shown = talk(anna, ben, 6.0)[50:]
    values = np.array([np.concatenate([m.expression, m.rotation, m.translation]) for m in shown])
    still = np.abs(np.diff(values, axis=0)).max(1) < 1e-3
    runs = "".join("x" if each else " " for each in still).split()
    assert len(shown) > 90
    assert max(map(len, runs), default=0) <= 4  # of 40 ms
    assert np.mean([motion.confidence for motion in shown]) > 0.9
    assert anna.line.peer is not None and anna.line.peer.link.withheld <= 5


def test_whoever_loses_the_network_comes_back_any_number_of_times(anna: End, ben: End) -> None:
    link = anna.link
    for times in (1, 2):
        talk(ben, anna, 1.0)
        talk(anna, ben, 1.0)  # who was heard first misses the other one first
        before = ben.line.peer
        for end in (anna, ben):
            lose(end, 1.0)
        wait_until(lambda count=times: ben.lines.count("the call is back") == count, 15)
        wait_until(lambda old=before: ben.line.peer not in (old, None) and ben.line.peer.ready, 5)
        wait_until(lambda: anna.line.peer is not None and anna.line.peer.ready, 5)
    assert talk(anna, ben, 1.5)[-1].confidence == 1
    assert anna.endings == ben.endings == []
    assert len(anna.calls) == 3 and anna.link == link
    assert anna.losses <= 2 <= ben.losses  # who is called may hear a new connection first
    assert refused(End("Eve").call(link).ended())


def test_a_caller_who_stops_before_its_first_motion_is_missed_within_seconds(anna: End, ben: End) -> None:
    begun_ns, goes_on = CLOCK.now_ns(), threading.Event()
    ben.tell(lambda: goes_on.wait(30))
    wait_until(lambda: anna.losses == 1, 20)
    goes_on.set()
    assert "the connection vanished: it may come back for 30 s" in anna.lines
    assert 3 < (CLOCK.now_ns() - begun_ns) / 1e9 < 5.5
    wait_until(lambda: "the call is back" in ben.lines, 20)
    assert anna.endings == ben.endings == []


def test_an_answer_that_is_lost_on_the_way_does_not_end_the_call(anna: End, ben: End, monkeypatch) -> None:
    lost = []

    async def arrives(peer, text, policy) -> None:
        if not lost:
            lost.append(text)
            raise AgentError("the answer is lost")
        await accept(peer, text, policy)

    talk(anna, ben, 0.5)
    monkeypatch.setattr("runtime.transports.joining.accept", arrives)
    for end in (anna, ben):
        lose(end, 1.0)
    wait_until(lambda: "the call is back" in ben.lines, 15)
    assert lost and anna.endings == ben.endings == []


def test_a_caller_whose_first_answer_is_lost_gets_in_by_itself_and_nobody_else_in_between(monkeypatch) -> None:
    lost, eve, let_in = [], [], Signalling._post

    async def post(self: Signalling, request: web.Request) -> web.Response:
        response = await let_in(self, request)
        if not lost:
            lost.append(response.text)
            eve.append(End("Eve").call(anna.link))
            await until(lambda: bool(eve[0].endings))
            request.transport.abort()
        return response

    monkeypatch.setattr(Signalling, "_post", post)
    anna = End("Anna").listen()
    link = anna.link
    ben = End("Ben").call(link)
    connected(ben, anna)
    assert "joining with this link" in str(eve[0].endings[0]) and refused(End("Eve").call(link).ended())
    assert [line.partition("/call ")[2] for line in ben.lines] == ["does not answer: Server disconnected: trying again"]
    assert talk(anna, ben, 1.0)[-1].confidence > 0
    assert len(anna.calls) == 1 and len(anna.end._tasks) == 1 and not anna.losses
    assert anna.lines == anna.endings == ben.endings == []
    ben.close()
    anna.close()


def test_a_link_by_which_no_connection_came_about_stays_good(anna: End) -> None:
    async def knock() -> None:
        peer = open_peer(HERE)
        peer.addTrack(VoiceTrack(CLOCK, anna.say))
        async with aiohttp.ClientSession() as http:
            await join(http, anna.link, PATH, peer, HERE)
        await close_peer(peer)

    link = anna.link
    asyncio.run(knock())
    wait_until(lambda: bool(anna.lines), 15)
    assert "the link stays good" in anna.lines[0] and str(link) in anna.lines[0]
    ben = End("Ben").call(link)
    connected(ben, anna)
    assert anna.endings == [] and anna.losses == 0
    ben.close()


def test_an_end_that_is_let_in_but_never_connects_gives_up_in_time(anna: End, ben: End, monkeypatch) -> None:
    async def ignore(*_: object) -> None: ...

    async def failed(_: object) -> str:
        await asyncio.sleep(0.2)
        return "failed"

    talk(anna, ben, 0.5)
    monkeypatch.setattr("runtime.transports.caller.RESUME_S", 2.0)
    monkeypatch.setattr("runtime.transports.joining.accept", ignore)
    monkeypatch.setattr("runtime.transports.call_peer.gone", failed)
    for end in (anna, ben):
        lose(end, 1.0)
    assert str(ben.ended().endings[0]) == "the connection failed"
    assert ben.losses > 1 and "the call is back" not in ben.lines


def test_of_joins_at_once_only_the_last_stays(anna: End, ben: End) -> None:
    async def join_twice() -> None:
        peers = [open_peer(HERE) for _ in range(2)]
        for peer in peers:
            peer.addTrack(VoiceTrack(CLOCK, anna.say))
        offers = [await offer(peer, HERE) for peer in peers]
        await asyncio.gather(*map(anna.end._join, offers))
        for peer in peers:
            await close_peer(peer)

    before = anna.line.peer
    asyncio.run_coroutine_threadsafe(join_twice(), anna.line._loop).result(10)
    wait_until(lambda: len(anna.end._tasks) == 1, 5)
    assert anna.line.peer is not before


def test_a_link_that_nobody_uses_gives_way_to_another_that_is_told(monkeypatch) -> None:
    monkeypatch.setattr("runtime.transports.listener.LIFETIME_S", 1.0)
    anna = End("Anna").listen()
    first = anna.link
    wait_until(lambda: len(anna.lines) == 1, 10)
    assert "nobody has used the link" in anna.lines[0] and str(first) not in anna.lines[0]
    assert refused(End("Eve").call(first).ended())
    wait_until(lambda: str(anna.link) in anna.lines[-1], 10)
    ben = End("Ben").call(anna.link)
    connected(ben, anna)
    told = len(anna.lines)
    talk(anna, ben, 2.5)
    assert len(anna.lines) == told, "it is in use"
    ben.close()
    anna.close()


def test_an_end_that_cannot_show_a_portrait_says_why(anna: End) -> None:
    anna.refusal = "the portrait shows no face"
    ben = End("Ben").call(anna.link).ended()
    assert [str(ending) for ending in ben.endings] == ["the portrait shows no face"]
    wait_until(lambda: bool(anna.endings), 5)
    assert str(anna.endings[0]) == "the portrait shows no face"


@pytest.mark.parametrize("what", ["show", "known"])
def test_a_failure_beyond_the_portrait_ends_the_call_and_makes_room_for_the_next(what: str, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a defect")

    anna = End("Anna")
    monkeypatch.setattr(anna, what, fail)
    before = anna.listen().link
    ben = End("Ben").call(before).ended()
    anna.ended()
    assert [str(end.endings[0]) for end in (anna, ben)] == ["the call failed: ValueError: a defect", "the call failed"]
    assert isinstance(anna.endings[0], AgentError)
    assert anna.link != before
    ben.close()
    anna.close()


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


def test_a_message_is_read_as_it_was_written_and_a_later_kind_is_passed_over() -> None:
    hello = Hello("Anna", Offered("0" * 64, 5), False)
    filmed = Hello("Eve", Offered("0" * 64, 5), False, camera=True)
    for message in (hello, filmed, Hello("Ben", None, False), Ready(), Bye("dinner")):
        assert read(write(message)) == message
    assert read('{"type": "sticker"}') is None
    told = read(write(Hello("A\x1b[31m\nn" + "n" * 100, Offered("0" * 64, 5), True)))
    assert isinstance(told, Hello) and told.name == "A[31mn" + "n" * 34


def test_parts_make_a_portrait() -> None:
    parts = Parts(offered(b"portrait"))
    assert parts.take(b"port") is None
    assert parts.take(b"rait") == b"portrait"
    with pytest.raises(ProtocolError, match="larger"):
        Parts(offered(b"x")).take(b"")


def test_nothing_is_sent_into_a_full_queue() -> None:
    async def test() -> None:
        peer = CallPeer(HERE, End("Ann").myself, End("Ann"), CLOCK)
        sent: list[bytes] = []
        queue = 0
        link = type(peer.link)(CLOCK, sent.append, lambda: queue)
        motions = talking(40)
        for motion in motions[:20]:
            link.give(motion)
        queue = 1000
        for motion in motions[20:]:
            link.give(motion)
        link.give(motions[3])
        assert (len(sent), link.sent, link.withheld) == (10, 10, 19)
        assert link.sent_bytes == sum(map(len, sent))
        await close_peer(peer.peer)

    asyncio.run(test())


def test_where_nobody_listens_a_call_says_so() -> None:
    ben = End("Ben").call("http://127.0.0.1:9/#token=abc").ended()
    assert isinstance(ben.endings[0], AgentError)
    assert "does not answer" in str(ben.endings[0])


def test_another_portrait_takes_the_place_of_the_first_while_motion_goes_on(anna: End, ben: End) -> None:
    another = b"another" * 9_000
    ben.is_shown.clear()
    anna.is_shown.clear()
    shown = []
    there = threading.Thread(target=lambda: shown.extend(talk(ben, anna, 5.0)))
    there.start()
    ben.line.present(another)
    ben.line.present(b"too soon")
    wait_until(lambda: len(anna.portraits) == 2, 20)
    there.join()
    assert anna.portraits == [ben.myself.portrait, another]
    assert ben.is_shown.is_set() and not anna.is_shown.is_set()
    ages_ms = np.diff([motion.pts_ns for motion in shown[10:]]) / 1e6
    assert len(shown) > 80 and ages_ms.max() < 400, "motion goes on beside it"
    assert not anna.shown_last.may_keep
    ben.line.present(another)  # is shown already
    ben.line.present(ben.myself.portrait)
    wait_until(lambda: len(anna.portraits) == 3, 20)
    assert anna.portraits[2] == ben.myself.portrait
    assert not anna.endings and not ben.endings


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
