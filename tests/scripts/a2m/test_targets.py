"""Curves from phones."""

import numpy as np
from a2m import targets
from a2m.segments import Segment

from models.audio.curves import INDEX

LOUD = np.zeros(1000)


def of(*segments: Segment, seconds: float = 2.0) -> targets.Targets:
    return targets.make(segments, seconds, LOUD)


def at(made: targets.Targets, name: str, second: float) -> float:
    return float(made.curves[round(second * targets.RATE_HZ), INDEX[name]])


def test_bilabials_close_the_lips_between_open_vowels() -> None:
    made = of(Segment(0.5, 0.7, "a"), Segment(0.7, 0.8, "m"), Segment(0.8, 1.0, "a"))
    assert at(made, "lipGap", 0.75) == 0.0
    assert at(made, "lipGap", 0.6) > 0.5
    assert at(made, "lipGap", 0.92) > 0.5
    assert made.closed[75] == 1
    assert made.closed[60] == 0


def test_a_stop_opens_at_its_release() -> None:
    made = of(Segment(0.5, 0.7, "a"), Segment(0.7, 0.9, "p", release=0.78), Segment(0.9, 1.1, "a"))
    assert made.closed[77] == 1
    assert made.closed[80] == 0
    assert at(made, "lipGap", 0.86) > 0.1


def test_other_stops_leave_the_lips_open_and_are_marked() -> None:
    made = of(Segment(0.5, 0.7, "a"), Segment(0.7, 0.8, "n"), Segment(0.8, 1.0, "a"))
    assert at(made, "lipGap", 0.75) > 0.3
    assert made.confusable[75]
    assert not made.closed.any()


def test_rounding_starts_before_its_vowel() -> None:
    made = of(Segment(0.5, 0.8, "i"), Segment(0.8, 0.9, "t"), Segment(0.9, 1.2, "u"))
    assert at(made, "lipRound", 1.05) > 0.8
    assert 0.05 < at(made, "lipRound", 0.82) < 0.8
    assert at(made, "lipRound", 0.55) < 0.1


def test_louder_opens_wider() -> None:
    segments = [Segment(0.5, 1.0, "a")]
    quiet, loud = (targets.make(segments, 2.0, np.full(300, db)) for db in (-8.0, 8.0))
    assert at(loud, "jawOpen", 0.75) > 1.2 * at(quiet, "jawOpen", 0.75)


def test_the_mouth_rests_open_in_a_short_pause_and_closes_in_a_long_one() -> None:
    made = of(Segment(0.5, 1.0, "a"), Segment(3.0, 3.5, "a"), seconds=4.0)
    assert 0.08 < at(made, "lipGap", 1.4) < 0.2
    assert at(made, "lipGap", 2.2) == 0.0
    assert at(made, "lipGap", 0.2) == 0.0
    assert made.speech[75] == 1
    assert made.speech[250] == 0


def test_nobody_speaks() -> None:
    made = targets.silent(1.0)
    assert len(made.curves) == 100
    assert not made.curves.any()
    assert not made.speech.any()
