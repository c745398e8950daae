"""Ends of a call that lose packets, answers or the network, and come back."""

import asyncio
import threading

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from models.errors import AgentError
from runtime.transports.caller import PATH
from runtime.transports.ice import IcePolicy
from runtime.transports.joining import join
from runtime.transports.peer import accept, close_peer, offer, open_peer
from runtime.transports.signalling import Signalling
from runtime.transports.voice import VoiceTrack
from tests.agent.command import wait_until
from tests.runtime.calls import CLOCK, End, connected, lose, refused, talk
from tests.runtime.peers import until

pytestmark = pytest.mark.alone

HERE = IcePolicy()


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
    assert "the connection vanished: Ben may come back for 30 s, until when nobody else gets in" in anna.lines
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
        await asyncio.gather(*(anna.end._join(text, None) for text in offers))
        for peer in peers:
            await close_peer(peer)

    before = anna.line.peer
    asyncio.run_coroutine_threadsafe(join_twice(), anna.line._loop).result(10)
    wait_until(lambda: len(anna.end._tasks) == 1, 5)
    assert anna.line.peer is not before
