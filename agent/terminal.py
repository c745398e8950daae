"""What a command tells the person at the terminal: lines, how far it is, how fast it runs."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.control import Control
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.segment import ControlType

_SAY_EVERY_NS = 10_000_000_000
_PRINTED_EVERY_S = 10.0  # a line of a live run's status
_STILL_S = 1.0

console = Console(stderr=True, highlight=False)
_NEW_LINE = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))  # in place of a status line


def say(line: str) -> None:
    """Prints a line; never fails, since a run must outlive the terminal or pipe that it talks to."""
    with suppress(OSError, ValueError, SystemExit):  # rich turns a broken pipe into SystemExit
        console.control(_NEW_LINE)
        console.print(line, markup=False, soft_wrap=True)


@contextmanager
def progress(total: int, doing: str = "rendering") -> Iterator[Callable[[int], None]]:
    """A bar for what is done offline; where there is no terminal, a line every ten seconds."""
    with progress_of_parts() as advance:
        advance(doing, 0, total)
        yield lambda done: advance(doing, done, total)


@contextmanager
def progress_of_parts() -> Iterator[Callable[[str, int, int], None]]:
    """As `progress`, for work of several parts: which one, how much of it is done, and of how much."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task, said_ns = bar.add_task("", total=None), time.monotonic_ns()

        def advance(doing: str, done: int, total: int) -> None:
            nonlocal said_ns
            bar.update(task, description=doing, completed=done, total=total)
            if not console.is_terminal and time.monotonic_ns() - said_ns >= _SAY_EVERY_NS:
                said_ns = time.monotonic_ns()
                say(f"{doing}: {done} of {total}")

        yield advance


def _lateness(now: dict[str, Any]) -> str:
    """How old pictures are; of a picture that stands still, for how long it has."""
    if now["since_picture_s"] >= _STILL_S:
        return f"no new picture for {now['since_picture_s']:.0f} s, "
    ages = now["latency_ms"]
    return "" if ages is None else f"latency {ages['p50']:.0f} ms (p95 {ages['p95']:.0f}), "


@contextmanager
def status_line(status: Callable[[], dict[str, Any]]) -> Iterator[None]:
    """One line with rate and latency: renewed every half second on a terminal, else printed every ten."""
    ended = threading.Event()

    def show() -> None:
        terminal = console.is_terminal
        while not ended.wait(0.5 if terminal else _PRINTED_EVERY_S):
            now = status()
            late = _lateness(now)
            silent = "".join(f"{what} does not answer, " for what in now["silent"])
            line = f"{silent}{now['fps_rendered']:.1f} fps, {late}{now['dropped']} dropped; Ctrl-C ends"
            if terminal:
                sys.stderr.write(f"\r\x1b[K{line}")
                sys.stderr.flush()
            else:
                say(line)
        if terminal:
            sys.stderr.write("\r\x1b[K")

    thread = threading.Thread(target=show, name="status line", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
