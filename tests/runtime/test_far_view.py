"""What the other end's camera sees, over the portrait: softly in and out, where the photo lies."""

import numpy as np
import pytest

from calibration.framing import Canvas
from runtime.clock import FakeClock
from runtime.far_view import FADE_NS, PATIENCE_NS, FarView

TICK_NS = 40_000_000
DRAWN = np.zeros((60, 100, 3), np.uint8)
WHITE = np.full((30, 20, 3), 250, np.uint8)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def view(clock: FakeClock) -> FarView:
    """Of a photo of 40 x 60 pixels on a picture of 100 x 60: it lies from 30 to 70."""
    view = FarView(clock)
    view.lay(Canvas.fit((40, 60), (100, 60)), 40)
    return view


def shown(view: FarView, clock: FakeClock, ticks: int, glimpsed: np.ndarray | None = None) -> list[int]:
    """The middle of each picture that is shown."""
    levels = []
    for k in range(ticks):
        if glimpsed is not None and k % 4 == 0:
            view.see(glimpsed)
        clock.advance(TICK_NS)
        levels.append(int(view.over(DRAWN, clock.now_ns())[30, 50, 0]))
    return levels


def test_it_comes_and_goes_without_a_jump(view: FarView, clock: FakeClock) -> None:
    assert view.over(DRAWN, clock.now_ns()) is DRAWN
    levels = shown(view, clock, 25, WHITE)
    view.see(None)
    levels += shown(view, clock, 25)
    assert levels[FADE_NS // TICK_NS] == 250 and levels[24] == 250
    assert levels[25 + FADE_NS // TICK_NS] == 0
    assert max(np.abs(np.diff([0, *levels]))) < 0.2 * 250
    assert view.over(DRAWN, clock.now_ns()) is DRAWN


def test_it_lies_where_the_photo_lies(view: FarView, clock: FakeClock) -> None:
    shown(view, clock, 25, WHITE)
    out = view.over(DRAWN, clock.now_ns())
    assert (out[:, 30:70] == 250).all() and not out[:, :30].any() and not out[:, 70:].any()
    assert not DRAWN.any()


def test_on_a_transparent_picture_it_is_not(view: FarView, clock: FakeClock) -> None:
    shown(view, clock, 25, WHITE)
    out = view.over(np.zeros((60, 100, 4), np.uint8), clock.now_ns())
    assert (out[:, 30:70, 3] == 255).all() and not out[:, :30].any()


def test_when_no_more_come_the_portrait_comes_back(view: FarView, clock: FakeClock) -> None:
    shown(view, clock, 25, WHITE)
    assert view.is_shown
    levels = shown(view, clock, (PATIENCE_NS + FADE_NS) // TICK_NS + 2)
    assert levels[PATIENCE_NS // TICK_NS // 2] == 250 and levels[-1] == 0
    assert not view.is_shown


def test_it_is_told_when_the_camera_is_shown_and_when_no_more(clock: FakeClock) -> None:
    told: list[bool] = []
    view = FarView(clock, told.append)
    view.lay(Canvas.fit((40, 60), (100, 60)), 40)
    shown(view, clock, 8, WHITE)
    view.see(None)
    shown(view, clock, 2)
    shown(view, clock, 4, WHITE)
    assert told == [True, False, True]
    shown(view, clock, PATIENCE_NS // TICK_NS + 1)
    assert told == [True, False, True, False], "the end may be lost on the way"
    shown(view, clock, 4, WHITE)
    view.clear()
    shown(view, clock, 2)
    assert told == [True, False, True, False, True]


def test_a_busy_sender_whose_pictures_are_rare_is_told_once(clock: FakeClock) -> None:
    told: list[bool] = []
    view = FarView(clock, told.append)
    view.lay(Canvas.fit((40, 60), (100, 60)), 40)
    for _ in range(4):
        shown(view, clock, 1, WHITE)
        shown(view, clock, 2_000_000_000 // TICK_NS)
    assert told == [True]


def test_of_somebody_who_has_left_nothing_stays(view: FarView, clock: FakeClock) -> None:
    shown(view, clock, 25, WHITE)
    view.clear()
    assert shown(view, clock, 1) == [0]
    assert not view.is_shown


def test_an_outline_takes_the_place_of_somebody_who_is_lost_until_they_are_back(
    view: FarView, clock: FakeClock
) -> None:
    outline = np.full_like(DRAWN, 120)
    shown(view, clock, 25, WHITE)
    view.lose(outline)
    levels = shown(view, clock, 25, WHITE)
    assert (view.over(DRAWN, clock.now_ns()) == outline).all(), "the camera, too, is covered"
    view.find()
    levels += shown(view, clock, 25, WHITE)
    assert levels[FADE_NS // TICK_NS] == levels[24] == 120 and levels[-1] == 250
    assert max(np.abs(np.diff([250, *levels]))) < 0.2 * 130
