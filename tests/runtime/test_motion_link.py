"""Two ends of a motion link on one clock, and a network between them that may lose packets."""

from collections import deque

from models.motion_codec import Losses, MotionDecoder
from runtime.clock import FakeClock
from runtime.transports.motion_link import ROOM_BYTES, MotionLink
from tests.models.motions import talking

TICK_NS = 40_000_000


def test_motions_are_told_twice_until_the_other_end_misses_none_and_again_when_it_does() -> None:
    clock, sent, late = FakeClock(), deque[bytes](), deque[bytes]()
    one, other = MotionLink(clock, sent.append, lambda: 0), MotionLink(clock, late.append, lambda: 0)
    told, reader = [], MotionDecoder()
    for k, motion in enumerate(talking(240)):
        clock.advance(TICK_NS)
        one.give(motion)
        other.give(motion)
        if sent:
            packet = sent.popleft()
            told.append(len(reader.push(packet)))
            if k // 2 != 40:
                other.take(packet)
        if late:
            one.take(late.popleft())
    assert told == [2] * 43 + [3] * 49 + [2] * 28


def test_what_is_withheld_is_not_missed() -> None:
    clock, sent, reader = FakeClock(), deque[bytes](), MotionDecoder()
    queued = 0
    link = MotionLink(clock, sent.append, lambda: queued)
    for k, motion in enumerate(talking(100)):
        queued = ROOM_BYTES + 1 if 40 <= k < 60 else 0
        link.give(motion)
    assert link.withheld == 19 and link.sent == len(sent)
    for packet in sent:
        reader.push(packet)
    assert reader.newest == len(sent) - 1
    assert reader.dropped == 0 and reader.misses == Losses.NONE
