"""Files played as a device would: what is released when, on virtual time."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from runtime.clock import FakeClock, MonotonicClock
from runtime.frame import Frame
from runtime.sound import Sound
from runtime.sources.media import ClipSound
from runtime.sources.paced import Paced

EXAMPLE = Path(__file__).parents[2] / "agent" / "example" / "speech.wav"
STEP_NS = 40_000_000
START_NS = 5_000_000_000


class Pictures:
    """Small frames 40 ms apart whose first pixel is their number; decoding one takes `work_ns`."""

    lost = 0

    def __init__(self, count: int, clock: FakeClock, work_ns: int = 0) -> None:
        self._count, self._clock, self._work_ns = count, clock, work_ns
        self.closed = False

    def __iter__(self) -> Iterator[Frame]:
        for i in range(self._count):
            self._clock.advance(self._work_ns)
            yield Frame(np.full((2, 2, 3), i, np.uint8), i * STEP_NS)

    def close(self) -> None:
        self.closed = True


def number(frame: Frame) -> int:
    return int(frame.image[0, 0, 0])


def test_pictures_come_at_their_instants() -> None:
    clock = FakeClock()
    paced = Paced(Pictures(5, clock), clock, START_NS)
    released = [(number(frame), frame.pts_ns, clock.now_ns()) for frame in paced]
    assert released == [(i, START_NS + i * STEP_NS, START_NS + i * STEP_NS) for i in range(5)]
    assert paced.lost == 0


def test_sound_comes_when_its_last_sample_would_have() -> None:
    clock = FakeClock()
    for sound in Paced(ClipSound(EXAMPLE), clock, START_NS):
        assert clock.now_ns() == sound.end_ns
    assert clock.now_ns() == START_NS + ClipSound(EXAMPLE).info.duration_ns


def test_sound_that_was_slept_through_is_lost_and_what_follows_is_in_time() -> None:
    clock = FakeClock()
    paced = Paced(ClipSound(EXAMPLE), clock, START_NS)
    ages_ns, block_ns = [], next(iter(ClipSound(EXAMPLE))).end_ns
    for number, sound in enumerate(paced):
        ages_ns.append(clock.now_ns() - sound.end_ns)
        if number == 9:
            clock.advance(2_500_000_000)
    assert paced.lost == 1_500_000_000 // block_ns, "a second of it is not old yet"
    assert max(ages_ns) <= 1_000_000_000
    assert ages_ns[-1] == 0


def test_stale_pictures_are_left_out_and_counted() -> None:
    clock = FakeClock()
    paced = Paced(Pictures(10, clock), clock, START_NS)
    shown = []
    for frame in paced:
        shown.append(number(frame))
        if number(frame) == 2:
            clock.advance(3 * STEP_NS + STEP_NS // 2)  # until the middle of picture 5
    assert shown == [0, 1, 2, 5, 6, 7, 8, 9]
    assert paced.lost == 2


def test_a_picture_less_than_one_late_is_shown() -> None:
    clock = FakeClock(START_NS + STEP_NS - 1)
    paced = Paced(Pictures(3, clock), clock, START_NS)
    assert [number(frame) for frame in paced] == [0, 1, 2]
    assert paced.lost == 0


def test_slow_decoding_still_shows_pictures() -> None:
    clock = FakeClock(START_NS)
    paced = Paced(Pictures(100, clock, work_ns=2 * STEP_NS), clock, START_NS)
    shown = [number(frame) for frame in paced]
    assert 5 <= len(shown) <= 10
    assert paced.lost == 100 - len(shown)


def test_sound_that_is_a_little_late_is_not_left_out() -> None:
    clock = FakeClock(START_NS + 1_000_000_000)
    blocks: list[Sound] = list(Paced(ClipSound(EXAMPLE), clock, START_NS))
    assert [b.pts_ns - START_NS for b in blocks] == [b.pts_ns for b in ClipSound(EXAMPLE)]
    assert ClipSound(EXAMPLE).lost == 0


def test_close_ends_a_waiting_iterator_and_its_source() -> None:
    clock = MonotonicClock()
    source = Pictures(3, FakeClock())
    paced = Paced(source, clock, clock.now_ns() + 3_600_000_000_000)
    got: list[Frame] = []
    waiting = threading.Thread(target=lambda: got.extend(paced), daemon=True)
    waiting.start()
    paced.close()
    paced.close()
    waiting.join(30)
    assert not waiting.is_alive()
    assert got == []
    assert source.closed
