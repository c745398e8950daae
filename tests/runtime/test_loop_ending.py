"""How the frame loop ends, and that it closes all that it was given."""

import threading

import pytest

from models.errors import AgentError
from runtime.clock import MonotonicClock
from runtime.lane import Lane
from runtime.metrics import Metrics
from tests.runtime.loop_parts import Canvas, Clip, Endless, JawFollowsTime, Wall, loop_of, stopping_after


def test_a_sink_that_blocks_for_good_is_left_behind_and_said(monkeypatch):
    monkeypatch.setattr("runtime.outlet._PATIENCE_S", 0.2)
    stuck, good, engine, clock = Wall("stuck"), Wall("good"), Canvas(), MonotonicClock()
    stuck.gate.clear()
    lanes = [Lane("video", Endless(), JawFollowsTime(), Metrics())]
    loop = loop_of(lanes, [stuck, good], engine=engine, clock=clock, fps=100, start_ns=clock.now_ns())
    with pytest.raises(AgentError, match="stuck does not answer"):
        stopping_after(loop, engine, clock, 5)
        loop.run_live()
    assert good.closed == 1 and engine.closed == 1 and stuck.closed == 0
    stuck.gate.set()


def test_a_source_that_fails_ends_the_run_with_its_cause_and_closes_all():
    class Broken(Clip):
        def __iter__(self):
            yield from super().__iter__()
            raise AgentError("source broke")

    before = set(threading.enumerate())
    source, driver, wall, engine, clock = Broken(5, 1), JawFollowsTime(), Wall(), Canvas(), MonotonicClock()
    lanes = [Lane("video", source, driver, Metrics())]
    loop = loop_of(lanes, [wall], engine=engine, clock=clock, fps=100, start_ns=clock.now_ns())
    with pytest.raises(AgentError, match="source broke"):
        loop.run_live()
    assert (source.closed, driver.closed, wall.closed, engine.closed) == (1, 1, 1, 1)
    assert not wall.complete, "nothing that was there may be replaced"
    assert set(threading.enumerate()) <= before


def test_a_sink_that_fails_to_close_does_not_keep_others_open():
    bad, good = Wall("bad"), Wall("good")

    def fail(complete: bool) -> None:
        raise OSError("disk full")

    bad.close = fail  # type: ignore[method-assign]
    engine = Canvas()
    loop = loop_of([Lane("video", Clip(3, 40), JawFollowsTime(), Metrics())], [good, bad], engine=engine)
    with pytest.raises(OSError, match="disk full"):
        loop.run_offline(3, lambda _: None)
    assert good.closed == 1 and engine.closed == 1


@pytest.mark.parametrize("broken", ["driver", "engine", "sink"])
def test_offline_a_failing_stage_raises_its_cause_and_closes_all(broken):
    source, driver = Clip(9, 40), JawFollowsTime(fail_at=3 if broken == "driver" else None)
    wall, engine = Wall("wall", fail_at=2 if broken == "sink" else None), Canvas()
    if broken == "engine":
        engine.render = lambda *_: 1 / 0
    loop = loop_of([Lane("video", source, driver, Metrics())], [wall], engine=engine)
    with pytest.raises((RuntimeError, ZeroDivisionError), match=r"broke|zero"):
        loop.run_offline(9, lambda _: None)
    assert (source.closed, driver.closed, wall.closed, engine.closed) == (1, 1, 1, 1)
    assert not wall.complete


def test_offline_ends_soon_after_an_input_that_was_cut_short():
    wall = Wall()
    loop_of([Lane("video", Clip(5, 40), JawFollowsTime(), Metrics())], [wall]).run_offline(250, lambda _: None)
    assert 5 <= len(wall.pictures) <= 32, "five frames and a second, not the ten seconds that were announced"


def test_live_ends_when_the_clip_that_drives_the_face_ends():
    clock = MonotonicClock()
    wall = Wall()
    loop = loop_of(
        [Lane("video", Clip(5, 1), JawFollowsTime(), Metrics())], [wall], clock=clock, start_ns=clock.now_ns()
    )
    loop.run_live()
    assert wall.closed == 1


def test_close_frees_a_run_that_never_began_and_leaves_one_that_did():
    for begins in (False, True):
        source, driver, wall, engine = Clip(3, 40), JawFollowsTime(), Wall(), Canvas()
        loop = loop_of([Lane("video", source, driver, Metrics())], [wall], engine=engine)
        if begins:
            loop.run_offline(3, lambda _: None)
        loop.close()
        loop.close()
        assert (source.closed, driver.closed, wall.closed, engine.closed) == (1, 1, 1, 1)
