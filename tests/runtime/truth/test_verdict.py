"""Hysteresis, in hand-made sights."""

from runtime.truth.comparison import Difference
from runtime.truth.verdict import CAUSES, Cause, Sight, Verdict

TRUE = Difference(hidden=0.0, gain=0.0, slope=0.0, apart=0.0)
HIDDEN = Difference(hidden=0.3, gain=0.0, slope=0.0, apart=0.0)
BETWEEN = Difference(hidden=0.15, gain=0.0, slope=0.0, apart=0.0)
DARK = Difference(hidden=0.0, gain=-0.8, slope=0.0, apart=0.0)


def told(sights: list[Sight | Difference | None], every_ms: int = 100) -> list[Cause | None]:
    verdict = Verdict()
    whole = [sight if isinstance(sight, Sight) else Sight(sight, 0.0, False) for sight in sights]
    return [verdict.push(sight, k * every_ms * 1_000_000) for k, sight in enumerate(whole)]


def test_a_cause_counts_after_four_tenths_and_is_over_after_a_second_and_a_half() -> None:
    out = told([*[TRUE] * 5, *[HIDDEN] * 10, *[TRUE] * 20])
    assert out == [None] * 9 + ["hidden"] * 21 + [None] * 5


def test_between_the_two_levels_nothing_changes() -> None:
    assert told([BETWEEN] * 30) == [None] * 30
    assert told([*[HIDDEN] * 5, *[BETWEEN] * 40])[-1] == "hidden"


def test_what_comes_and_goes_neither_enters_nor_leaves() -> None:
    assert told([HIDDEN, HIDDEN, HIDDEN, TRUE] * 10) == [None] * 40
    assert told([*[HIDDEN] * 5, *[*[TRUE] * 14, HIDDEN] * 4])[5:] == ["hidden"] * 60


def test_a_frame_that_shows_no_face_leaves_it_as_it_was() -> None:
    assert told([*[HIDDEN] * 5, *[None] * 60])[-1] == "hidden"
    assert told([None] * 60)[-1] is None


def test_causes_are_judged_apart_and_the_first_of_the_list_is_told() -> None:
    both = Sight(Difference(0.3, -0.8, 0.3, 0.2), 1.0, True)
    assert told([both] * 5)[-1] == CAUSES[0] == "somebody else"
    assert told([*[both] * 5, *[DARK] * 20])[-1] == "light"
    assert told([*[DARK] * 5, *[HIDDEN] * 5])[-1] == "hidden", "before the light has left"


def test_each_cause_by_its_own_sign() -> None:
    for sight, cause in (
        (Sight(HIDDEN, 0.0, False), "hidden"),
        (Sight(TRUE, 0.8, False), "turned"),
        (Sight(Difference(0, 0, 0, 0.1), 0.0, False), "turned"),
        (Sight(Difference(0, 0.5, 0, 0), 0.0, False), "light"),
        (Sight(Difference(0, 0, 0.2, 0), 0.0, False), "light"),
        (Sight(None, 0.0, True), "somebody else"),
        (Sight(TRUE, 0.3, False), None),
    ):
        assert told([sight] * 6)[-1] == cause, sight
