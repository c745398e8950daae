"""Long work: its result, its errors, its end when nobody wants it any more."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from agent import patience
from agent.patience import Abandoned, patiently, within

WAITING = """
import ctypes
from agent.program import program
from runtime.engines.builtin import BuiltinEngine

def prepare(engine, portrait):
    print("preparing", flush=True)
    ctypes.CDLL(None).sleep(60)  # as a library that does not listen

BuiltinEngine.prepare = prepare
program()
"""


def never() -> bool:
    return False


def test_results_and_errors_are_those_of_the_work() -> None:
    assert patiently("adding", lambda: 1 + 1, never, print) == 2
    with pytest.raises(ZeroDivisionError):
        patiently("dividing", lambda: 1 / 0, never, print)
    with pytest.raises(TimeoutError, match="its own"):
        patiently("waiting", lambda: (_ for _ in ()).throw(TimeoutError("its own")), never, print)


def test_work_that_hangs_is_left_behind_and_work_that_fails_is_heard() -> None:
    assert within(20, "work", lambda: 7) == 7
    with pytest.raises(TimeoutError, match="work: no answer within"):
        within(0.01, "work", lambda: time.sleep(20))
    with pytest.raises(ZeroDivisionError):
        within(20, "work", lambda: 1 / 0)


def test_it_is_told_how_long_work_has_been_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_SAY_EVERY_S", 0.0)
    said, enough = [], threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            enough.set()

    assert patiently("preparing me.png", lambda: enough.wait(30), never, say)
    assert said[:2] == ["preparing me.png: 0 s so far"] * 2


def test_work_that_does_not_listen_is_left_behind_and_that_which_does_is_not() -> None:
    ended, asked = threading.Event(), threading.Event()
    asked.set()
    with pytest.raises(Abandoned):
        patiently("sleeping", lambda: ended.wait(30), asked.is_set, print)
    ended.set()
    assert patiently("listening", lambda: (asked.wait(30), time.sleep(0.15)), asked.is_set, print) == (True, None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_preparation_that_does_not_listen_ends_with_the_run(number, portrait_png, wav, tmp_path) -> None:
    out = tmp_path / "o.mp4"
    arguments = ["run", "--portrait", portrait_png, "--microphone", wav, "--output", out, "--size", "128"]
    command = [sys.executable, "-c", WAITING, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "preparing\n"
        process.send_signal(number)
        errors = process.communicate(timeout=30)[1]
    assert (process.returncode, errors.splitlines()[-1]) == (130, "agent: interrupted")
    assert list(tmp_path.iterdir()) == [wav]
