"""Glimpses from one end of a call to the other: announced or dropped, few, in order, and from ends that mean harm."""

import io

import numpy as np
import pytest
from PIL import Image

from runtime.clock import FakeClock
from runtime.glimpse import Glimpse
from runtime.transports.glimpse_link import ROOM_BYTES, GlimpseLink
from tests.agent.command import wait_until
from tests.runtime.calls import End, connected


def glimpse(level: int) -> Glimpse:
    file = io.BytesIO()
    Image.new("RGB", (48, 32), (level, level, level)).save(file, "WEBP", quality=20)
    return Glimpse(file.getvalue())


class Both:
    """Two links, of which one hears the other, once its packets are delivered."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.packets: list[bytes] = []
        self.on_its_way = 0
        self.seen: list[int | None] = []
        self.sender = GlimpseLink(self.clock, self.packets.append, lambda: self.on_its_way, lambda _: None)
        self.receiver = GlimpseLink(self.clock, lambda _: None, lambda: 0, self._see)

    def _see(self, picture: np.ndarray | None) -> None:
        self.seen.append(None if picture is None else int(picture.mean().round()))

    def deliver(self, *packets: bytes) -> None:
        for packet in packets:
            self.clock.advance(160_000_000)
            self.receiver.take(packet)


def test_pictures_arrive_in_order_and_so_does_their_end() -> None:
    both = Both()
    for level in (40, 80, 120):
        both.sender.give(glimpse(level))
    both.sender.give(Glimpse(b""))
    one, two, three, end = both.packets
    both.deliver(one, three, two, three, end)
    assert both.seen == pytest.approx([40, 120, None], abs=3)
    assert (both.receiver.received, both.receiver.dropped) == (3, 2)
    assert both.sender.sent_bytes == sum(map(len, both.packets))


def test_numbers_begin_again() -> None:
    both = Both()
    both.sender.sent = 65_535
    both.sender.give(glimpse(40))
    both.sender.give(glimpse(80))
    both.deliver(*both.packets)
    assert both.seen == pytest.approx([40, 80], abs=3)


def test_none_is_sent_while_the_one_before_is_on_its_way() -> None:
    both = Both()
    both.on_its_way = ROOM_BYTES + 1
    both.sender.give(glimpse(40))
    both.on_its_way = ROOM_BYTES
    both.sender.give(glimpse(80))
    assert (len(both.packets), both.sender.withheld) == (1, 1)


def test_a_flood_is_not_decoded() -> None:
    both = Both()
    for level in range(100):
        both.sender.give(glimpse(level))
    for packet in both.packets:
        both.receiver.take(packet)  # no time passes
    assert both.receiver.received == 8 and both.receiver.dropped == 92
    both.clock.advance(1_000_000_000)
    both.sender.give(glimpse(100))
    both.receiver.take(both.packets[-1])
    assert both.receiver.received == 9


@pytest.mark.parametrize("packet", [b"", b"\1\0", b"\2\0\0", b"\1\0\0no picture", b"\1\0\0" + bytes(5000)])
def test_what_is_no_glimpse_is_dropped(packet: bytes) -> None:
    both = Both()
    both.deliver(packet)
    assert both.seen == [] and both.receiver.dropped == 1


@pytest.mark.parametrize("announced", [True, False])
def test_what_was_not_announced_is_neither_sent_nor_shown(announced: bool) -> None:
    anna, eve = End("Anna").listen(), End("Eve", camera=announced)
    eve.call(anna.link)
    try:
        connected(eve, anna)
        assert [hello.camera for hello in anna.calls] == [announced]
        eve.line.glimpse(glimpse(200))
        peer = eve.line.peer
        assert peer is not None and anna.line.peer is not None
        far = anna.line.peer.glimpses
        if announced:
            wait_until(lambda: len(anna.seen) == 1, 10)
            eve.line.glimpse(Glimpse(b""))
            wait_until(lambda: anna.seen[-1] is None, 10)
        else:
            eve.tell(lambda: peer.glimpses.give(glimpse(200)))  # as an end that does not keep to its word
            wait_until(lambda: far.dropped == 1, 10)
            assert anna.seen == [] and peer.glimpses.sent == 1
    finally:
        eve.close()
        anna.close()
