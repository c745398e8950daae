"""Two ends of a motion link on one clock, and a network between them that may lose packets."""

from collections import deque

import pytest

from models.motion_codec import Losses, MotionDecoder, MotionEncoder
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


@pytest.mark.parametrize("rate_hz", [12.5, 15, 25])
def test_as_many_packets_are_read_as_any_end_sends_even_if_those_of_half_a_second_come_at_once(rate_hz: float) -> None:
    clock = FakeClock()
    link, encoder = MotionLink(clock, lambda packet: None, lambda: 0), MotionEncoder(motions_per_packet=1)
    packets = iter([encoder.push(motion) or b"" for motion in talking(300)])
    for k in range(240):
        clock.advance(round(1e9 / rate_hz))
        for _ in range(int(rate_hz / 2) if k % 60 == 59 else k % 60 < 60 - int(rate_hz / 2)):
            link.take(next(packets))
    assert link.flooded == 0 and link.dropped == 0


def test_what_comes_too_often_is_not_read() -> None:
    clock = FakeClock()
    link = MotionLink(clock, lambda packet: None, lambda: 0)
    for _ in range(1000):
        clock.advance(1_000_000)
        link.take(bytes(1100))
    assert link.received == 12 + 30
    assert link.counts()["packets_dropped"] == 1000


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
    assert reader.dropped == 0 and reader.losses_here == Losses.NONE
