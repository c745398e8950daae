"""Swaps between two pictures: who is drawn, and that each engine is closed once, when nothing draws with it."""

import threading
from typing import Any

import numpy as np
import pytest

from models.motion import Motion
from models.portrait import Pixels
from runtime.stage import Stage


class Painter:
    """An engine whose avatars are brightnesses."""

    backend = "none"
    portable = True
    levels = 1

    def __init__(self, name: str = "painter") -> None:
        self.name = name
        self.closed = threading.Event()
        self.closings = 0

    def prepare(self, portrait: Any) -> Any:
        raise NotImplementedError

    def render(self, avatar: int, motion: Motion, level: int = 0) -> Pixels:
        assert not self.closed.is_set()
        return np.full((2, 2, 3), avatar, np.uint8)

    def close(self) -> None:
        self.closings += 1
        self.closed.set()


def shown(stage: Stage) -> int:
    return int(stage.render(Motion(0), 0).image[0, 0, 0])


def test_the_newest_avatar_is_drawn_from_the_next_picture_on() -> None:
    engine = Painter()
    stage = Stage(engine, 1)
    assert shown(stage) == 1
    stage.swap(engine, 2)
    stage.swap(engine, 3)
    assert [shown(stage), shown(stage)] == [3, 3]
    assert engine.closings == 0
    stage.close()
    stage.close()
    assert engine.closings == 1


def test_an_engine_is_closed_once_nothing_draws_with_it() -> None:
    old, passed_over, new = Painter("old"), Painter("passed over"), Painter("new")
    stage = Stage(old, 1)
    stage.swap(passed_over, 2)
    stage.swap(new, 3)
    assert passed_over.closed.wait(10)
    assert old.closings == 0
    assert shown(stage) == 3
    assert old.closed.wait(10)
    stage.swap(new, 4)
    assert shown(stage) == 4
    stage.close()
    assert (old.closings, passed_over.closings, new.closings) == (1, 1, 1)


def test_an_engine_that_is_slow_to_close_keeps_no_picture_waiting() -> None:
    old, new, gate = Painter("old"), Painter("new"), threading.Event()
    close = old.close
    old.close = lambda: (gate.wait(20), close())[1]  # type: ignore[method-assign]
    stage = Stage(old, 1)
    stage.swap(new, 2)
    assert shown(stage) == 2
    assert old.closings == 0
    gate.set()
    stage.close()
    assert (old.closings, new.closings) == (1, 1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_waits_when_the_run_ends_is_closed_too(when: str) -> None:
    old, late = Painter("old"), Painter("late")
    stage = Stage(old, 1)
    if when == "before":
        stage.swap(late, 2)
    stage.close()
    if when == "after":
        stage.swap(late, 2)
    assert late.closed.wait(10)
    assert (old.closings, late.closings) == (1, 1)


def test_an_engine_in_use_survives_a_second_avatar_of_its_own() -> None:
    old, new = Painter("old"), Painter("new")
    stage = Stage(old, 1)
    stage.swap(new, 2)
    stage.swap(new, 3)
    assert shown(stage) == 3
    assert new.closings == 0
    stage.close()
    stage.swap(new, 4)
    assert new.closings == 1


def test_softly_one_avatar_becomes_the_other_in_half_a_second() -> None:
    engine = Painter()
    stage = Stage(engine, 0)
    live = lambda at_ms: int(stage.render_live(Motion(0), at_ms * 1_000_000).image[0, 0, 0])  # noqa: E731
    assert live(0) == 0
    stage.swap(engine, 200, softly=True)
    seen = [live(at_ms) for at_ms in range(40, 640, 40)]
    assert seen[0] < 20 and seen[-1] == 200
    assert all(0 <= step < 30 for step in np.diff(seen))
    stage.swap(engine, 100)
    assert live(700) == 100
    stage.close()
