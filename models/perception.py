"""mediapipe, imported late and kept from writing its own log lines into the user's terminal."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_stderr_lock = threading.Lock()


@contextmanager
def quiet_mediapipe() -> Iterator[Any]:
    """Gives `mediapipe.solutions`; while the body runs, nothing that C++ code writes to stderr is shown.

    mediapipe's graphs print a few lines when they are built, when they first run and at the process's first face, past
    every log setting. Use it around that only: the whole process's stderr is closed meanwhile.
    """
    with _stderr_lock:
        sys.stderr.flush()
        kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        try:
            import mediapipe  # a second of imports that `--help` must not pay

            yield mediapipe.solutions
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(null)


def load_mediapipe() -> None:
    """Imports mediapipe now: half a second in which other threads of Python hardly run."""
    with quiet_mediapipe():
        pass
