"""What trials make the run's own code warn of."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


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
