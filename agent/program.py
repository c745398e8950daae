"""The program `agent`: hears Ctrl-C while it still imports, and ends without waiting for libraries' threads."""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

ENDING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Those by which people and systems end a program."""
_INTERRUPTED = 130


def program() -> NoReturn:
    """Runs the command of `sys.argv` and ends the process with its exit code.

    A signal before or after the command's own work, where there is nothing to close, ends it at once.
    """
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores some
            signal.signal(number, _interrupted)
    from agent.cli import main

    try:
        code = main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # who read it has gone, or the disk is full
        code = code or 1
    os._exit(code)  # threads of libraries that are still at work would crash while the interpreter is shut down


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    os.write(2, b"agent: interrupted\n")
    os._exit(_INTERRUPTED)
