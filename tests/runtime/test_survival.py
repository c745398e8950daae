"""What a live run survives: drivers, drawing and outputs that fail, for a moment or for good."""

import numpy as np
import pytest

from models.errors import AgentError, InputError
from models.motion import Motion, expression
from runtime.clock import FakeClock
from runtime.faults import Faults
from runtime.frame import Frame
from runtime.lane import Lane
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.stage import Stage
from tests.runtime.loop_parts import MS, Canvas, Clip, Endless, JawFollowsTime, Wall, loop_of, stopping_after
from tests.warned import warned

PERIOD_NS = 40 * MS


class Moody(JawFollowsTime):
    """Raises what it was told to, by the number of the value."""

    def __init__(self, **moods: BaseException) -> None:
        super().__init__()
        self.moods = {int(number.removeprefix("at_")): error for number, error in moods.items()}

    def push(self, value):
        motions = super().push(value)
        if self.seen in self.moods:
            raise self.moods[self.seen]
        return motions


def lane_of(driver, count=1000, period_ms=40) -> Lane[Frame]:
    return Lane("video", Clip(count, period_ms), driver, Metrics())


def steps(lane: Lane[Frame], count: int) -> list[float | None]:
    found: list[float | None] = []
    for _ in range(count):
        assert lane.live_step(lambda _: None)
        motion = None if lane.newest is None else lane.newest.motion
        found.append(None if motion is None else round(motion["jawOpen"], 2))
    return found


def test_a_driver_that_fails_gives_no_motion_and_is_told_once_a_burst(caplog):
    lane = lane_of(Moody(at_3=RuntimeError("graph\nhas errors"), at_4=MemoryError()))
    assert steps(lane, 6) == [0.0, 0.04, 0.04, 0.04, 0.16, 0.2]
    assert lane.faults == 2
    told = "the video driver failed (RuntimeError: graph has errors): its motion eases out until it works again"
    assert warned(caplog, "runtime.faults") == [told]


def test_a_driver_that_fails_for_seconds_is_given_up():
    lane = lane_of(Moody(**{f"at_{k}": RuntimeError("broken") for k in range(3, 200)}))
    with pytest.raises(AgentError, match=r"^the video driver fails again and again: RuntimeError: broken$"):
        steps(lane, 200)
    assert lane.faults == 126, "five seconds at 25 a second"


def test_a_driver_that_never_worked_is_given_up_soon():
    lane = lane_of(Moody(**{f"at_{k}": RuntimeError("no model") for k in range(1, 200)}))
    with pytest.raises(AgentError, match="the video driver fails again and again: RuntimeError: no model"):
        steps(lane, 200)
    assert lane.faults == 26


def test_a_driver_that_refuses_on_purpose_is_not_asked_again():
    lane = lane_of(Moody(at_2=InputError("that is somebody else")))
    with pytest.raises(InputError, match="somebody else"):
        steps(lane, 2)
    assert lane.faults == 0


@pytest.mark.parametrize("part", ["expression", "rotation", "surface", "confidence"])
def test_a_motion_that_is_no_number_moves_nothing(part):
    class Dizzy(JawFollowsTime):
        def push(self, value):
            good = super().push(value)
            if self.seen != 2:
                return good
            bad = {
                "expression": expression(jawOpen=np.nan),
                "rotation": np.array([0, np.inf, 0], np.float32),
                "surface": np.full((478, 3), np.nan, np.float32),
                "confidence": float("nan"),
            }
            return [Motion(value.pts_ns, **{part: bad[part]})]

    lane = lane_of(Dizzy())
    assert steps(lane, 3) == [0.0, 0.0, 0.08]
    assert lane.faults == 1


def test_failures_far_apart_are_told_again(caplog):
    faults = Faults("the part", "it waits")
    for instant_s in (0, 9, 18, 40):
        faults.endured(ValueError("odd"), instant_s * 1_000 * MS)
        faults.worked()
    assert warned(caplog, "runtime.faults") == ["the part failed (ValueError: odd): it waits"] * 2
    assert faults.count == 4


class Sketch(Canvas):
    """Draws the jaw; raises what it was told to, by the number of the attempt."""

    def __init__(self, *bad: int, error: Exception | None = None) -> None:
        super().__init__()
        self.bad, self.error, self.tried = set(bad), error or MemoryError("no room"), 0

    def render(self, avatar, motion, level=0):
        self.tried += 1
        if self.tried in self.bad:
            raise self.error
        return super().render(avatar, motion)


def drawn(stage: Stage, count: int, first: int = 0) -> list[Picture]:
    return [
        stage.render_live(Motion(k * PERIOD_NS, expression(jawOpen=k / 100 + 0.005)), k * PERIOD_NS)
        for k in range(first, first + count)
    ]


def levels(pictures: list[Picture]) -> list[int]:
    return [int(picture.image[0, 0, 0]) for picture in pictures]


def test_where_drawing_fails_the_last_good_picture_is_shown_again_with_its_own_age(caplog):
    stage = Stage(Sketch(3, 4), None)
    pictures = drawn(stage, 6)
    assert levels(pictures) == [0, 1, 1, 1, 4, 5]
    assert [p.due_ns // PERIOD_NS for p in pictures] == [0, 1, 2, 3, 4, 5]
    assert [p.motion.pts_ns // PERIOD_NS for p in pictures] == [0, 1, 1, 1, 4, 5]
    assert stage.faults == 2
    assert warned(caplog, "runtime.faults") == [
        "drawing failed (MemoryError: no room): the last picture stays until it works again"
    ]


def test_an_engine_that_never_drew_ends_the_run():
    with pytest.raises(MemoryError):
        drawn(Stage(Sketch(1), None), 1)


def test_an_engine_that_goes_on_failing_is_tried_once_a_second_and_comes_back():
    engine = Sketch(*range(2, 1000))
    stage = Stage(engine, None)
    pictures = drawn(stage, 150)
    assert engine.tried == 1 + 26 + 4, "at every picture of a second, then once a second"
    assert set(levels(pictures)) == {0}
    engine.bad.clear()
    after = levels(drawn(stage, 30, 150))
    assert after[0] == 0
    assert after[-5:] == [175, 176, 177, 178, 179]


def test_an_avatar_that_is_swapped_in_is_drawn_at_once_while_the_old_one_fails():
    stage = Stage(Sketch(*range(2, 1000)), None)
    drawn(stage, 60)
    stage.swap(Sketch(), None)
    assert levels(drawn(stage, 1, 60)) == [60]
    stage.close()


def test_drivers_lose_their_weight_while_drawing_fails_and_gain_it_again():
    engine = Sketch(*range(2, 12))
    stage = Stage(engine, None)
    weights = []
    for picture in range(26):
        drawn(stage, 1, picture)
        eased = stage.eased(Motion(0, confidence=0.5))
        assert eased is not None
        weights.append(eased.confidence / 0.5)
    assert weights[0] == 1.0
    assert weights[1:11] == pytest.approx([1 - 0.08 * k for k in range(1, 11)])
    assert weights[11:14] == pytest.approx([0.28, 0.36, 0.44])
    assert weights[-1] == 1.0
    assert stage.eased(None) is None


def run_until(loop, engine, clock, count):
    stopping_after(loop, engine, clock, count)
    loop.run_live()


class Fragile(Wall):
    """Raises what it was told to, by the number of the picture, and from the last of them on if that is for good."""

    def __init__(self, name: str, error: Exception, *bad: int) -> None:
        super().__init__(name)
        self.error, self.bad, self.offered = error, bad, 0

    def send(self, picture: Picture) -> None:
        self.offered += 1
        if self.offered in self.bad:
            raise self.error
        super().send(picture)


class Patient(FakeClock):
    """Jumps only when every output has taken the picture before."""

    def __init__(self, *sinks: Wall) -> None:
        super().__init__()
        self.loop = None

    def wait_until(self, instant_ns, stop):
        for outlet in self.loop._outlets:
            while not stop.is_set() and outlet.failure is None and outlet._pictures._value is not None:
                stop.wait(0.001)
        return super().wait_until(instant_ns, stop)


def patient_loop(sinks):
    clock, engine = Patient(), Canvas()
    loop = loop_of([Lane("video", Endless(), JawFollowsTime(), Metrics())], sinks, engine=engine, clock=clock)
    clock.loop = loop
    return loop, engine, clock


def test_an_output_that_fails_misses_a_picture_and_goes_on(caplog):
    flaky, good = Fragile("flaky", RuntimeError("hiccup"), 2, 3, 5), Wall("good")
    loop, engine, clock = patient_loop([flaky, good])
    run_until(loop, engine, clock, 12)
    assert flaky.offered == 12
    assert len(flaky.pictures) == 9
    assert loop.faults == {"sink flaky": 3}
    assert good.complete and flaky.complete
    assert warned(caplog, "runtime.faults") == ["the output flaky failed (RuntimeError: hiccup): it misses a picture"]


def test_an_output_that_is_lost_is_said_at_once_and_raised_at_the_end(caplog):
    lost, good = Fragile("lost", AgentError("the disk is full"), 3), Wall("good")
    loop, engine, clock = patient_loop([lost, good])
    with pytest.raises(AgentError, match="the disk is full"):
        run_until(loop, engine, clock, 12)
    assert lost.offered == 3
    assert len(good.pictures) == 12
    assert good.complete and not lost.complete
    assert warned(caplog, "runtime.loop") == ["the output lost is given up: the disk is full; the others go on"]


def test_an_output_that_takes_nothing_for_seconds_is_given_up():
    stubborn, good = Fragile("stubborn", RuntimeError("no"), *range(10, 1000)), Wall("good")
    loop, engine, clock = patient_loop([stubborn, good])
    with pytest.raises(AgentError, match="the output stubborn fails again and again: RuntimeError: no"):
        run_until(loop, engine, clock, 200)
    assert stubborn.offered == 9 + 126, "five seconds at 25 a second"
    assert len(good.pictures) == 200


def test_a_run_ends_with_the_last_output_that_shows_pictures():
    class Ears(Wall):
        shows = False

    lost, ears = Fragile("lost", AgentError("the window is gone"), 3), Ears("ears")
    loop, engine, clock = patient_loop([lost, ears])
    with pytest.raises(AgentError, match="the window is gone"):
        run_until(loop, engine, clock, 1000)
    assert loop.tempo.frames < 1000
    assert not ears.complete
