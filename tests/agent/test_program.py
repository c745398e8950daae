"""The program as the shell starts it: how it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.command import SMALL, agent_process

INTERRUPTED_IMPORT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            try:
                os.kill(os.getpid(), signal.{signal})
            except KeyboardInterrupt:
                raise ImportError("cannot load this module") from None

sys.meta_path.insert(0, Finder())
from agent.program import program
program()
"""
AT_WORK = """
import ctypes, threading
threading.Thread(target=lambda: ctypes.CDLL(None).sleep(60)).start()
from agent.program import program
program()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("module", ["tyro", "numba", "runtime.sinks.preview"])
def test_a_signal_while_modules_are_imported_costs_one_line(module, name, portrait_png, wav):
    arguments = ["run", "--portrait", str(portrait_png), "--microphone", str(wav), "--output", "preview", *SMALL]
    code = INTERRUPTED_IMPORT.format(module=module, signal=name)
    with agent_process(*arguments, code=code) as process:
        told = process.communicate(timeout=60)[1]
    assert (process.returncode, told.splitlines()) == (130, ["agent: interrupted"])


def test_signals_that_are_ignored_stay_ignored_while_modules_are_imported():
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    code += INTERRUPTED_IMPORT.format(module="tyro", signal="SIGHUP")
    with agent_process("--version", code=code) as process:
        assert process.communicate(timeout=60)[0].startswith("agent ")
    assert process.returncode == 0


def test_it_does_not_wait_for_threads_of_libraries():
    with agent_process("--version", code=AT_WORK) as process:
        assert process.communicate(timeout=30)[0].startswith("agent ")
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full device is Linux's")
def test_what_cannot_be_written_is_no_success():
    command = [sys.executable, "-c", "from agent.program import program; program()", "--version"]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(command, stdout=full, timeout=60).returncode == 1


def test_help_succeeds_and_wrong_usage_does_not():
    for arguments, code in ((["run", "--help"], 0), (["rnu"], 2)):
        with agent_process(*arguments) as process:
            process.communicate(timeout=60)
        assert process.returncode == code
