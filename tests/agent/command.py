"""The agent as a process of its own."""

import subprocess
import sys
import time
from contextlib import contextmanager

SMALL = ("--size", "128")
"""Options of a run that is soon done."""


@contextmanager
def agent_process(*arguments, code="from agent.program import program; program()"):
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.02)
