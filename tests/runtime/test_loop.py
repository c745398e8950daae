"""The frame loop: every frame offline; live, deadlines, slow outputs, swaps and losses."""

import threading

import numpy as np
import pytest

from runtime.clock import FakeClock, MonotonicClock
from runtime.lane import Lane
from runtime.metrics import Metrics
from runtime.outlet import Outlet
from runtime.sound import Sound
from tests.runtime.loop_parts import MS, Canvas, Clip, Endless, JawFollowsTime, Tone, Wall, loop_of, stopping_after


def test_offline_renders_every_frame_in_order_at_its_instant():
    clip, driver, wall, engine = Clip(31, 1000 / 30), JawFollowsTime(), Wall(), Canvas()
    loop = loop_of([Lane("video", clip, driver, Metrics())], [wall], engine=engine)
    done: list[int] = []
    loop.run_offline(25, done.append)
    assert [p.due_ns for p in wall.pictures] == [i * 40 * MS for i in range(25)]
    # 30 frames a second in, 25 out: motion is interpolated to the output's instants.
    assert [p.motion["jawOpen"] for p in wall.pictures] == pytest.approx([i * 0.04 for i in range(25)], abs=1e-5)
    assert done == list(range(1, 26)) and loop.tempo.frames == 25 and loop.dropped == 0
    assert (clip.closed, driver.closed, wall.closed, engine.closed) == (1, 1, 1, 1)


def test_offline_holds_the_last_motion_when_the_clip_is_shorter():
    wall = Wall()
    loop_of([Lane("video", Clip(3, 40), JawFollowsTime(), Metrics())], [wall]).run_offline(6, lambda _: None)
    assert wall.pictures[-1].motion["jawOpen"] == pytest.approx(0.08)


def test_offline_passes_sound_on_up_to_the_end_of_the_pictures():
    wall = Wall()
    lanes = [
        Lane("video", Clip(10, 40), JawFollowsTime(), Metrics()),
        Lane("soundtrack", Tone(100, 20), None, Metrics(), audible=True),
    ]
    loop_of(lanes, [wall]).run_offline(10, lambda _: None)
    assert 0.4e9 <= wall.sounds[-1].end_ns < 0.6e9
    assert [s.pts_ns for s in wall.sounds] == [i * 20 * MS for i in range(len(wall.sounds))]


def test_stop_ends_an_offline_run_early_and_closes_everything():
    wall, driver = Wall(), JawFollowsTime()
    loop = loop_of([Lane("video", Clip(100, 40), driver, Metrics())], [wall])
    loop.run_offline(100, lambda done: loop.stop() if done == 7 else None)
    assert len(wall.pictures) == 7 and wall.closed == 1 and driver.closed == 1


def test_live_ticks_on_absolute_deadlines():
    clock, wall, source = FakeClock(5 * MS), Wall(), Endless()
    engine = Canvas(clock, work_ms=3)
    lanes = [Lane("video", source, JawFollowsTime(), Metrics())]
    loop = loop_of(lanes, [wall], engine=engine, clock=clock, start_ns=10 * MS)
    begun = stopping_after(loop, engine, clock, 50)
    loop.run_live()
    assert begun == [(10 + 40 * i) * MS for i in range(50)], "work does not shift later deadlines"
    assert loop.tempo.frames == 50 and loop.missed == 0
    assert source.closed == 1 and engine.closed == 1 and wall.closed == 1


def test_live_skips_ticks_that_it_is_too_late_for_and_counts_them():
    clock = FakeClock()
    engine = Canvas(clock, work_ms=100)  # two and a half periods
    loop = loop_of([Lane("video", Endless(), JawFollowsTime(), Metrics())], [Wall()], engine=engine, clock=clock)
    stopping_after(loop, engine, clock, 10)
    loop.run_live()
    assert loop.tempo.frames == 10
    assert 13 <= loop.missed <= 18


def test_a_slow_sink_delays_only_itself():
    quick, slow, source = Wall("quick"), Wall("slow"), Endless()
    slow.gate.clear()
    loop = loop_of([Lane("video", source, JawFollowsTime(), Metrics())], [quick, slow], clock=MonotonicClock(), fps=120)
    loop._start_ns = MonotonicClock().now_ns()  # the test's own start
    ended = threading.Thread(target=loop.run_live)
    ended.start()
    assert quick.thirty.wait(20)
    assert len(slow.pictures) == 0
    loop.stop()
    slow.gate.set()
    ended.join(10)
    assert len(slow.pictures) <= 3, "what it holds, the newest and the one that is drawn meanwhile, not a queue"
    assert loop.dropped >= 25


def test_sound_does_not_wait_for_a_picture():
    wall, metrics = Wall(), Metrics()
    heard = threading.Event()
    wall.hear = lambda sound: heard.set()
    outlet = Outlet(wall, MonotonicClock(), metrics, lambda lost, error: None)
    outlet._pictures.take = lambda timeout_s, take=outlet._pictures.take: take(None)  # for ever, without a nudge
    outlet.start()
    outlet.hear(Sound(np.zeros((160, 1), np.float32), 16_000, 0))
    assert heard.wait(20)
    assert outlet.finish()


def test_losses_of_inputs_and_outputs_are_counted():
    clip = Clip(3, 40)
    clip.lost = 7
    loop = loop_of([Lane("video", clip, JawFollowsTime(), Metrics())], [Wall()])
    loop.run_offline(3, lambda _: None)
    assert loop.lost == {"video": 7, "sound out": 0}


def test_a_swap_takes_effect_between_two_pictures_and_costs_none():
    clock, wall, old, new = FakeClock(), Wall(), Canvas(), Canvas()
    loop = loop_of([Lane("video", Endless(), JawFollowsTime(), Metrics())], [wall], engine=old, clock=clock)
    drawn = []

    def draws(name):
        def render(avatar, motion, level=0):
            drawn.append((name, avatar))
            match len(drawn):
                case 3:
                    loop.swap(old, "second")
                case 6:
                    loop.swap(new, "third")
                case 9:
                    loop.stop()
            return np.zeros((2, 2, 3), np.uint8)

        return render

    old.render, new.render = draws("old"), draws("new")
    loop.run_live()
    assert drawn == [("old", None)] * 3 + [("old", "second")] * 3 + [("new", "third")] * 3
    assert loop.missed == 0 and loop.tempo.frames == 9
    assert (old.closed, new.closed) == (1, 1)
