"""The frame loop on the quality ladder."""

import numpy as np
import pytest

from models.motion import Motion
from runtime.clock import FakeClock
from runtime.ladder import Ladder, Rung
from runtime.lane import Lane
from runtime.metrics import Metrics
from tests.runtime.loop_parts import MS, Canvas, Clip, Endless, JawFollowsTime, Wall, loop_of, stopping_after


class Machine(Canvas):
    """Draws at each of three levels in its time."""

    levels = 3

    def __init__(self, clock: FakeClock, *work_ms: float) -> None:
        super().__init__(clock)
        self.work_ms, self.drawn = work_ms, []

    def render(self, avatar: None, motion: Motion, level: int = 0) -> np.ndarray:
        self.work_ns = round(self.work_ms[level] * MS)
        self.drawn.append(level)
        return super().render(avatar, motion, level)


def test_live_a_machine_without_time_draws_worse_and_then_at_half_the_rate_and_recovers():
    clock = FakeClock()
    engine = Machine(clock, 10, 10, 10)
    ladder = Ladder(25, tracks=False)
    loop = loop_of(
        [Lane("video", Endless(), JawFollowsTime(), Metrics())], [Wall()], engine=engine, clock=clock, ladder=ladder
    )
    begun = stopping_after(loop, engine, clock, 1200)
    loads = {100: (50, 30, 30), 200: (90, 70, 60), 300: (10, 10, 10)}
    draw, rungs = engine.render, {}

    def render(avatar, motion, level=0):
        engine.work_ms = loads.get(len(begun), engine.work_ms)
        rungs[len(begun)] = ladder.standing["rung"]
        return draw(avatar, motion, level)

    engine.render = render
    loop.run_live()
    assert (rungs[99], rungs[199], rungs[299], rungs[1199]) == (0, 1, 4, 0)
    assert set(np.diff(begun[250:299])) == {80 * MS}
    assert set(np.diff(begun[-100:])) == {40 * MS}
    assert engine.drawn[150:199] == [1] * 49 and engine.drawn[250:299] == [2] * 49
    assert loop.missed < 30, "what is left out by intention is not missed"
    assert sum(ladder.standing["seconds"]) == pytest.approx((begun[-1] - begun[0]) / 1e9, abs=0.01)


def test_offline_never_draws_worse():
    clock = FakeClock()
    engine = Machine(clock, 90, 90, 90)
    loop = loop_of([Lane("video", Clip(200, 40), JawFollowsTime(), Metrics())], [Wall()], engine=engine, clock=clock)
    loop.run_offline(200, lambda _: None)
    assert engine.drawn == [0] * 200


def test_at_half_the_rate_a_tick_is_missed_when_twice_the_time_was_not_enough():
    clock, ladder = FakeClock(), Ladder(25, [Rung(rate_divisor=2)], tracks=False)
    engine = Canvas(clock, work_ms=100)
    lanes = [Lane("video", Endless(), JawFollowsTime(), Metrics())]
    loop = loop_of(lanes, [Wall()], engine=engine, clock=clock, ladder=ladder)
    stopping_after(loop, engine, clock, 40)
    loop.run_live()
    assert loop.tempo.frames == 40
    assert loop.missed == pytest.approx(4000 / 80 - 40, abs=1)
