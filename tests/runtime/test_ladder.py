"""The quality ladder, told of loads: when it goes down, when it comes up, and that it does not go to and fro."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from runtime.ladder import RUNGS, Ladder, Rung, rungs_of

MS, S = 1_000_000, 1_000_000_000
FPS, LEVELS = 25, 3
BOTTOM = len(RUNGS) - 1


class Machine:
    """Draws and tracks as long as it is told to, on a ladder, in time of its own."""

    def __init__(self, ladder: Ladder, levels: int = LEVELS) -> None:
        self.ladder, self.levels = ladder, levels
        self.due_ns = self.tracked_ns = self.pictures = 0
        self.rungs = [0]

    def run(self, seconds: float, draw_ms: Callable[[Rung], float], track_ms: float = 4.0) -> list[int]:
        """The rung after each picture; `track_ms` is of one frame of 25 a second."""
        rungs = []
        end_ns = self.due_ns + round(seconds * S)
        while self.due_ns < end_ns:
            rung = self.ladder.rung
            self.tracked_ns += round(track_ms * MS * rung.rate_divisor / rung.track_every)
            self.pictures += 1
            self.ladder.judge(self.due_ns, self.due_ns + round(draw_ms(rung) * MS), self.tracked_ns, self.levels)
            self.due_ns += rung.rate_divisor * S // FPS
            rungs.append(self.ladder.standing["rung"])
        self.rungs += rungs
        return rungs

    def changes_by(self) -> list[int]:
        return [after - before for before, after in pairwise(self.rungs) if after != before]


@pytest.fixture
def machine() -> Machine:
    return Machine(Ladder(FPS, tracks=True))


def test_with_time_to_spare_nothing_is_given_up(machine: Machine) -> None:
    assert set(machine.run(20, lambda _: 20)) == {0}
    standing = machine.ladder.standing
    assert (standing["changes"], standing["late"]) == (0, 0)
    assert standing["seconds"] == pytest.approx([20, 0, 0, 0, 0], abs=0.05)


def test_a_load_that_grows_costs_quality_before_it_costs_a_deadline(machine: Machine) -> None:
    worth = {0: 1.0, 1: 0.7, 2: 0.6}
    for load_ms in range(10, 60, 2):
        machine.run(1, lambda rung, load_ms=load_ms: load_ms * worth[rung.level])
    standing = machine.ladder.standing
    assert standing["rung"] >= 3
    assert standing["late"] == 0


def test_a_late_picture_costs_a_rung_at_once(machine: Machine) -> None:
    machine.run(5, lambda _: 10)
    assert machine.run(0.04, lambda _: 41) == [1]
    assert machine.ladder.standing["late"] == 1


def test_one_haste_costs_one_rung(machine: Machine) -> None:
    """What is late follows from the same hold-up."""
    machine.run(5, lambda _: 10)
    machine.run(0.2, lambda _: 60)
    assert machine.run(3, lambda _: 10)[-1] == 1


def test_the_tracker_counts_as_the_drawing_does(machine: Machine) -> None:
    machine.run(5, lambda _: 5, track_ms=4)
    assert machine.run(6, lambda _: 5, track_ms=36)[-1] == 2, "there every second frame is tracked"
    assert machine.ladder.rung.track_every == 2
    assert machine.run(20, lambda _: 5, track_ms=36)[-1] == 2, "twice 18 ms would be too much"


def test_it_recovers_rung_by_rung(machine: Machine) -> None:
    machine.run(10, lambda _: 90)
    assert machine.rungs[-1] == BOTTOM
    rungs = machine.run(40, lambda _: 10)
    assert rungs[-1] == 0
    assert machine.changes_by() == [1] * BOTTOM + [-1] * BOTTOM


def test_under_a_constant_load_it_finds_its_rung(machine: Machine) -> None:
    """Level 1 has ample time and level 0 has not: each climb fails, and each takes longer to come."""
    machine.run(200, lambda rung: 39 if rung.level == 0 else 20)
    standing = machine.ladder.standing
    assert standing["changes"] == 1 + 2 * 6, "climbs after 4, 8, 16, 32 and twice 64 s"
    assert standing["seconds"][0] < 8
    assert set(machine.rungs) == {0, 1}


def test_what_is_late_once_in_a_while_does_not_swing_it_either(machine: Machine) -> None:
    machine.run(200, lambda rung: 70 if rung.level == 0 and machine.pictures % 250 == 0 else 15)
    assert machine.ladder.standing["changes"] <= 12


def test_patience_comes_back_when_a_climb_lasts(machine: Machine) -> None:
    machine.run(40, lambda rung: 39 if rung.level == 0 else 20)
    assert machine.run(12, lambda _: 10)[-1] == 1, "patience is 32 s by now"
    assert machine.run(60, lambda _: 10)[-1] == 0
    assert machine.run(0.04, lambda _: 90) == [1]
    assert machine.run(5, lambda _: 10)[-1] == 0


def test_what_makes_no_difference_is_passed_over() -> None:
    no_tracker = Machine(Ladder(FPS, tracks=False))
    no_tracker.run(10, lambda _: 90, track_ms=0)
    assert list(dict.fromkeys(no_tracker.rungs)) == [0, 1, 3, 4]
    one_level = Machine(Ladder(FPS, tracks=True), levels=1)
    one_level.run(10, lambda _: 90)
    one_level.run(60, lambda _: 10)
    assert [rung for rung, before in zip(one_level.rungs[1:], one_level.rungs, strict=False) if rung != before] == [
        2, 4, 2, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(("late_ms", "rung", "alike"), [(1, 1, 0), (1000, 2, 2)])
def test_another_engine_keeps_the_rung_or_the_best_that_is_like_it(
    machine: Machine, late_ms: int, rung: int, alike: int
) -> None:
    machine.run(5, lambda _: 10)
    machine.run(late_ms / 1000, lambda _: 90)
    assert machine.rungs[-1] == rung
    changes = machine.ladder.standing["changes"]
    machine.levels = 1
    assert set(machine.run(3, lambda _: 25)) == {alike}
    assert machine.ladder.standing["changes"] == changes


def test_a_ladder_of_one_rung_counts_and_stays() -> None:
    machine = Machine(Ladder(FPS, RUNGS[:1], tracks=True))
    assert set(machine.run(10, lambda _: 90)) == {0}
    assert machine.ladder.standing["late"] == machine.pictures


def test_half_the_rate_has_twice_the_time_and_is_left_only_for_what_fits_the_whole(machine: Machine) -> None:
    machine.run(20, lambda _: 60)
    assert machine.rungs[-1] == BOTTOM
    late = machine.ladder.standing["late"]
    assert set(machine.run(20, lambda _: 30)) == {BOTTOM}, "30 of 80 ms are ample, of 40 they are not"
    assert machine.ladder.standing["late"] == late
    assert machine.run(8, lambda _: 20)[-1] < BOTTOM


def test_fast_never_stands_on_the_best_rung_and_what_is_not_live_stays_where_it_begins():
    assert rungs_of("auto", live=True) == RUNGS
    assert rungs_of("auto", live=False) == rungs_of("best", live=True) == rungs_of("best", live=False) == (Rung(),)
    assert rungs_of("fast", live=True) == RUNGS[1:] and rungs_of("fast", live=False) == (Rung(level=1),)
