"""What the truth guard says of a person whose every movement is known, with things done to the camera's picture."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from models.bystanders import Bystanders
from models.motion import Motion
from runtime.truth.guard import EVERY_NS, Examiner, Seen, TruthGuard
from runtime.truth.verdict import Cause
from tests.runtime.truth.filmed import avatar, film, gamma, hand, lamp, looked, repainted, visited

BEGINS, ENDS, LOOKS = 14, 28, 46  # looks between which something is done
IN_TIME, OUT_OF_TIME = 5, 13  # looks after which it must be told, and must not be told any more


def as_it_is(seen: Seen) -> Seen:
    return seen


def verdicts(done: Callable[[Seen], Seen]) -> list[Cause | None]:
    """One for each look."""
    examiner, out = Examiner(avatar(128), bystanders := Bystanders()), []
    for k in range(LOOKS):
        examiner.examine(done(film(k)) if BEGINS <= k < ENDS else film(k))
        out.append(examiner.verdict.cause)
    bystanders.close()
    return out


def test_a_person_as_drawn_is_true() -> None:
    assert verdicts(as_it_is) == [None] * LOOKS


@pytest.mark.parametrize(
    ("done", "cause"),
    [
        (hand, "hidden"),
        (lambda seen: gamma(seen, 2.6), "light"),
        (lamp, "light"),
        (visited, "somebody else"),
    ],
    ids=["hand", "darker", "lamp", "second person"],
)
def test_what_the_other_end_does_not_see_is_told_after_a_moment_and_no_longer_than_it_lasts(
    done: Callable[[Seen], Seen], cause: Cause
) -> None:
    told = verdicts(done)
    assert told[:BEGINS] == [None] * BEGINS
    assert told[BEGINS + IN_TIME : ENDS] == [cause] * (ENDS - BEGINS - IN_TIME)
    assert told[ENDS] == cause, "it does not flicker"
    assert told[ENDS + OUT_OF_TIME :] == [None] * (LOOKS - ENDS - OUT_OF_TIME)


def test_a_head_turned_further_than_its_portrait_is_told_by_its_turn() -> None:
    def turned(seen: Seen) -> Seen:
        return film(0, motion=Motion(seen.frame.pts_ns, rotation=np.array([0, 0.8, 0], np.float32)))

    assert verdicts(turned)[BEGINS + IN_TIME : ENDS] == ["turned"] * (ENDS - BEGINS - IN_TIME)


def test_a_moment_is_no_cause() -> None:
    examiner = Examiner(avatar(128), Bystanders())
    for k in range(30):
        examiner.examine(hand(film(k)) if k in (12, 13, 20) else film(k))
        assert examiner.verdict.cause is None


def test_what_is_usual_from_the_start_is_no_cause() -> None:
    examiner = Examiner(avatar(128), Bystanders())
    for k in range(20):
        examiner.examine(lamp(film(k)))
        assert examiner.verdict.cause is None


def test_a_face_that_is_not_seen_changes_nothing() -> None:
    examiner = Examiner(avatar(128), Bystanders())
    for k in range(40):
        seen = film(k)
        blank = Seen(repainted(seen, np.zeros_like(seen.frame.image)).frame, None, Motion(k * EVERY_NS, confidence=0))
        sight = examiner.examine(blank if k >= 20 else hand(seen) if k >= 12 else seen)
        assert (sight.difference is None) == (k >= 20 or k < 8)
        assert (examiner.verdict.cause == "hidden") == (k >= 15)


def test_the_guard_tells_of_changes_and_what_mends_it_is_shown_from_then_on() -> None:
    told: list[Cause | None] = []
    there, back = threading.Event(), threading.Event()

    def changed(cause: Cause | None) -> None:
        told.append(cause)
        (back if cause is None else there).set()

    def mend(seen: Seen, cause: Cause | None):
        return avatar(128) if back_wanted.is_set() and cause == "light" else None

    back_wanted = threading.Event()
    guard = TruthGuard(avatar(128), Bystanders(), changed, mend)
    through = looked(guard)

    def look(seen: Seen) -> None:
        through.clear()
        guard.look(seen.frame, seen.landmarks, seen.motion)
        assert through.wait(60)

    k = 0
    while not there.is_set() and k < 200:
        look(lamp(film(k)) if k >= BEGINS else film(k))
        k += 1
    assert guard.cause == "light"
    back_wanted.set()
    while not back.is_set() and k < 400:
        look(lamp(film(k)))
        k += 1
    guard.close()
    guard.close()
    assert told == ["light", None]


def test_frames_are_looked_at_a_few_times_a_second_and_a_failure_ends_the_guard_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found: list[int] = []
    done = threading.Event()

    def mend(seen: Seen, cause: Cause | None) -> None:
        found.append(seen.frame.pts_ns)
        if len(found) == 3:
            done.set()
            raise RuntimeError("no more")

    told: list[str | None] = []
    guard = TruthGuard(avatar(128), Bystanders(), told.append, mend)
    frames = (film(0, motion=Motion(at_ms * 1_000_000)) for at_ms in range(0, 40_000, 40))
    for seen in frames:
        guard.look(seen.frame, seen.landmarks, seen.motion)
        if done.wait(0.03):
            break
    for seen, _ in zip(frames, range(10), strict=False):
        guard.look(seen.frame, seen.landmarks, seen.motion)
    guard.close()
    assert len(found) == 3 and min(np.diff(found)) >= EVERY_NS
    assert "whether the portrait is true is not told any more: RuntimeError: no more" in caplog.text
    assert told == ["not watched"] and guard.cause == "not watched", "what was told before does not stay"
