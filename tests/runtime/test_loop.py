"""The frame loop with fakes that satisfy the Protocols, in virtual time."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from models.errors import AgentError
from models.motion import Motion, expression
from runtime.clock import FakeClock, MonotonicClock
from runtime.drivers.idle import Idle
from runtime.frame import Frame
from runtime.ladder import RUNGS, Ladder, Rung
from runtime.lane import Lane
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.outlet import Outlet
from runtime.picture import Picture
from runtime.sound import Sound

MS = 1_000_000


class Clip:
    """Frames every `period_ms`, with sound if asked."""

    def __init__(self, count: int, period_ms: float, start_ns: int = 0) -> None:
        self.count, self.period_ns, self.start_ns = count, round(period_ms * MS), start_ns
        self.closed = self.lost = 0

    def __iter__(self) -> Iterator[Frame]:
        for i in range(self.count):
            yield Frame(np.full((2, 2, 3), i, np.uint8), self.start_ns + i * self.period_ns)

    def close(self) -> None:
        self.closed += 1


class Tone(Clip):
    """Blocks of 20 ms of sound."""

    def __iter__(self) -> Iterator[Sound]:
        for i in range(self.count):
            yield Sound(np.zeros((320, 1), np.float32), 16_000, self.start_ns + i * 20 * MS)


class Endless(Clip):
    """A device: gives one frame, then waits until it is closed."""

    def __init__(self) -> None:
        super().__init__(1, 40)
        self.gate = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        self.gate.wait()

    def close(self) -> None:
        super().close()
        self.gate.set()


class JawFollowsTime:
    """jawOpen is the frame's time in seconds."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.closed, self.seen, self.fail_at = 0, 0, fail_at

    def push(self, value: Frame | Sound) -> list[Motion]:
        self.seen += 1
        if self.seen == self.fail_at:
            raise RuntimeError("driver broke")
        return [Motion(value.pts_ns, expression(jawOpen=value.pts_ns / 1e9))]

    def close(self) -> None:
        self.closed += 1


class Canvas:
    name, backend, portable, levels = "fake", "cpu", True, 1

    def __init__(self, clock: FakeClock | None = None, work_ms: float = 0.0) -> None:
        self.closed, self.clock, self.work_ns = 0, clock, round(work_ms * MS)

    def prepare(self, portrait: object) -> None:
        return None

    def render(self, avatar: None, motion: Motion, level: int = 0) -> np.ndarray:
        if self.clock is not None:
            self.clock.advance(self.work_ns)
        return np.full((2, 2, 3), int(100 * motion["jawOpen"]) % 256, np.uint8)

    def close(self) -> None:
        self.closed += 1


class Wall:
    """Keeps what it is shown."""

    shows = True

    def __init__(self, name: str = "wall", fail_at: int | None = None) -> None:
        self.name, self.fail_at = name, fail_at
        self.pictures: list[Picture] = []
        self.sounds: list[Sound] = []
        self.closed = 0
        self.gate, self.thirty = threading.Event(), threading.Event()
        self.gate.set()

    def send(self, picture: Picture) -> None:
        self.gate.wait()
        self.pictures.append(picture)
        if len(self.pictures) == 30:
            self.thirty.set()
        if len(self.pictures) == self.fail_at:
            raise RuntimeError("sink broke")

    def hear(self, sound: Sound) -> None:
        self.sounds.append(sound)

    def close(self, complete: bool = True) -> None:
        self.closed += 1
        self.complete = complete


def loop_of(lanes, sinks, *, mode="video", engine=None, clock=None, fps=25, start_ns=0, ladder=None):
    return Loop(
        mode=mode,
        lanes=lanes,
        idle=Idle(),
        engine=engine or Canvas(),
        avatar=None,
        sinks=sinks,
        fps=fps,
        clock=clock or FakeClock(),
        metrics=Metrics(),
        ladder=ladder or Ladder(fps, RUNGS[:1], tracks=False),
        start_ns=start_ns,
    )


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


def stopping_after(loop, engine, clock, count):
    """Lets the engine stop the loop with its `count`-th picture; returns the instants at which pictures were begun."""
    render, begun = engine.render, []

    def wrapped(avatar, motion, level=0):
        begun.append(clock.now_ns())
        if len(begun) == count:
            loop.stop()
        return render(avatar, motion, level)

    engine.render = wrapped
    return begun


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


def test_losses_of_inputs_and_outputs_are_counted():
    clip = Clip(3, 40)
    clip.lost = 7
    loop = loop_of([Lane("video", clip, JawFollowsTime(), Metrics())], [Wall()])
    loop.run_offline(3, lambda _: None)
    assert loop.lost == {"video": 7, "sound out": 0}


def test_live_ends_when_the_clip_that_drives_the_face_ends():
    clock = MonotonicClock()
    wall = Wall()
    loop = loop_of(
        [Lane("video", Clip(5, 1), JawFollowsTime(), Metrics())], [wall], clock=clock, start_ns=clock.now_ns()
    )
    loop.run_live()
    assert wall.closed == 1


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


def test_close_frees_a_run_that_never_began_and_leaves_one_that_did():
    for begins in (False, True):
        source, driver, wall, engine = Clip(3, 40), JawFollowsTime(), Wall(), Canvas()
        loop = loop_of([Lane("video", source, driver, Metrics())], [wall], engine=engine)
        if begins:
            loop.run_offline(3, lambda _: None)
        loop.close()
        loop.close()
        assert (source.closed, driver.closed, wall.closed, engine.closed) == (1, 1, 1, 1)


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
