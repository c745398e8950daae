"""Reading aloud: passages follow one another as speech is heard and seen."""

from calibration.reading import PASSAGE_S, PASSAGES, Reading


def test_passages_come_as_speech_does_and_end() -> None:
    reading = Reading()
    assert reading.states == ["now", "todo", "todo", "todo"]
    reading.take(0.6 * PASSAGE_S)
    assert reading.index == 0 and reading.progress == 0.6
    reading.take(0.5 * PASSAGE_S)
    assert reading.states == ["done", "now", "todo", "todo"] and reading.progress == 0.0
    while not reading.ended:
        reading.take(0.5)
    assert reading.states == ["done"] * len(PASSAGES)
    assert reading.speech_s >= PASSAGE_S * len(PASSAGES)
    reading.take(1.0)
    assert reading.ended and reading.progress == 1.0


def test_a_passage_can_be_left_and_taken_again() -> None:
    reading = Reading()
    reading.again()
    assert reading.index == 0
    reading.take(1.0)
    reading.skip()
    assert reading.states[:2] == ["skipped", "now"]
    reading.again()
    assert reading.states[:2] == ["now", "todo"] and reading.speech_s == 1.0
    for _ in PASSAGES:
        reading.skip()
    reading.skip()
    reading.again()
    assert reading.ended
