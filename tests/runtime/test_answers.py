"""Devices that do not answer."""

import logging
import threading

import pytest

from runtime.answers import Answers
from runtime.answers import watched as looked_at
from runtime.clock import FakeClock
from tests.warned import warned

MS = 1_000_000


class Watched:
    """A device, looked at every 100 ms."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.answers = Answers("camera 0 (me)", "the face idles until it does", self.clock)

    def pass_ms(self, duration_ms: int, step_ms: int = 100) -> None:
        for _ in range(duration_ms // step_ms):
            self.clock.advance(step_ms * MS)
            self.answers.look()


@pytest.fixture
def watched(caplog: pytest.LogCaptureFixture) -> Watched:
    caplog.set_level(logging.WARNING)
    return Watched()


def test_a_call_that_lasts_is_told_once_and_its_return_too(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    with watched.answers.asked():
        watched.pass_ms(1500)
        assert not watched.answers.silent and not warned(caplog, "runtime.answers")
        watched.pass_ms(100)
        assert watched.answers.silent and watched.answers.waiting
        watched.pass_ms(5000)
    assert watched.answers.silent, "until somebody looks"
    watched.pass_ms(100)
    assert not watched.answers.silent and not watched.answers.waiting and watched.answers.count == 1
    assert warned(caplog, "runtime.answers") == [
        "camera 0 (me) does not answer: the face idles until it does",
        "camera 0 (me) answers again",
    ]


def test_calls_that_come_back_are_never_told_however_many(watched: Watched) -> None:
    for _ in range(10):
        with watched.answers.asked():
            watched.pass_ms(900)
    assert watched.answers.count == 0


def test_a_call_that_fails_has_come_back(watched: Watched) -> None:
    with pytest.raises(OSError, match="gone"), watched.answers.asked():
        raise OSError("gone")
    watched.pass_ms(5000)
    assert watched.answers.count == 0


def test_a_process_that_slept_has_not_waited(watched: Watched) -> None:
    with watched.answers.asked():
        watched.pass_ms(100)
        watched.clock.advance(60_000 * MS)
        watched.answers.look()
        watched.pass_ms(800)
        assert not watched.answers.silent


def test_what_is_waited_for_begins_anew_with_every_block(watched: Watched) -> None:
    for _ in range(10):
        watched.answers.begin()
        watched.pass_ms(900)
    assert watched.answers.count == 0
    watched.pass_ms(800)
    assert watched.answers.silent
    watched.answers.end()
    watched.pass_ms(100)
    assert not watched.answers.silent


def test_while_nothing_else_looks_a_thread_does(watched: Watched) -> None:
    never = threading.Event()
    with looked_at([watched.answers]), watched.answers.asked():
        for _ in range(600):
            if watched.answers.silent:
                break
            watched.clock.advance(100 * MS)
            never.wait(0.1)
    assert watched.answers.silent and watched.answers.count == 1
    assert not any(thread.name == "watching devices" for thread in threading.enumerate())


def test_where_there_is_no_device_nobody_looks() -> None:
    before = threading.active_count()
    with looked_at([]):
        assert threading.active_count() == before
