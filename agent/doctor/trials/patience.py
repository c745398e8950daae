"""Waiting for devices that may not answer, and hearing what they log."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


def within(limit_s: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, done in another thread. Raises TimeoutError when it is left behind."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # the waiting thread's to raise
            failed.append(error)

    thread = threading.Thread(target=run, name="trial", daemon=True)
    thread.start()
    thread.join(limit_s)
    if failed:
        raise failed[0]
    if not done:
        raise TimeoutError(f"no answer within {limit_s:g} s")
    return done[0]


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Gives the list of what is logged from level WARNING on while the body runs; it is shown nowhere else."""
    heard: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = [Collector(logging.WARNING)]
    try:
        yield heard
    finally:
        root.handlers[:] = before
