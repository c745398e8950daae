"""The small things that stand between threads."""

import threading

from runtime.clock import FakeClock, MonotonicClock
from runtime.ring import Ring
from runtime.slot import Slot


def test_slot_keeps_the_newest_and_counts_what_it_replaced():
    slot: Slot[int] = Slot()
    for value in (1, 2, 3):
        slot.put(value)
    assert slot.take(0) == 3
    assert slot.replaced == 2
    assert slot.take(0) is None


def test_slot_wakes_a_waiting_reader():
    slot: Slot[str] = Slot()
    got: list[str | None] = []
    reader = threading.Thread(target=lambda: got.append(slot.take()))
    reader.start()
    slot.put("news")
    reader.join(5)
    assert got == ["news"]


def test_a_nudge_ends_one_wait_without_a_value_and_takes_none_away():
    slot: Slot[int] = Slot()
    slot.nudge()
    assert slot.take() is None, "it would wait for ever"
    slot.put(1)
    slot.nudge()
    assert slot.take() == 1
    assert slot.take(0) is None


def test_closed_slot_gives_what_is_inside_then_none_and_takes_no_more():
    slot: Slot[int] = Slot()
    slot.put(1)
    slot.close()
    slot.put(2)
    assert slot.take() == 1
    assert slot.take() is None


def test_ring_is_bounded_in_order_and_counts_losses():
    ring: Ring[int] = Ring(3)
    for value in range(5):
        ring.put(value)
    assert [ring.take(0) for _ in range(4)] == [2, 3, 4, None]
    assert ring.dropped == 2


def test_closed_ring_wakes_its_reader():
    ring: Ring[int] = Ring(3)
    got: list[int | None] = [0]
    reader = threading.Thread(target=lambda: got.append(ring.take()))
    reader.start()
    ring.close()
    reader.join(5)
    assert got == [0, None]


def test_fake_clock_jumps_and_never_goes_back():
    clock, stop = FakeClock(100), threading.Event()
    assert clock.wait_until(500, stop)
    assert clock.wait_until(300, stop)
    assert clock.now_ns() == 500
    clock.advance(20)
    assert clock.now_ns() == 520


def test_both_clocks_stop_waiting_when_told():
    stop = threading.Event()
    stop.set()
    for clock in (FakeClock(), MonotonicClock()):
        assert not clock.wait_until(clock.now_ns() + 10**12, stop)
