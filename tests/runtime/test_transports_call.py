"""Two ends of a call over real connections: portraits, motion, voice, losses, and ends that mean harm."""

import asyncio
import threading

import numpy as np
import pytest

from models.errors import AgentError
from runtime.transports.call_control import (
    digest_of,
)
from runtime.transports.call_peer import CallPeer
from runtime.transports.ice import IcePolicy
from runtime.transports.peer import close_peer
from tests.agent.command import wait_until
from tests.models.motions import talking
from tests.runtime.calls import CLOCK, End, connected, refused, talk

HERE = IcePolicy()


@pytest.mark.alone
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


@pytest.mark.alone
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


@pytest.mark.alone
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


@pytest.mark.alone
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
