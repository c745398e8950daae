"""The command line: `agent run`, `agent demo`, `agent devices`."""

import json
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from types import FrameType
from typing import Any, assert_never

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.config import Command, Demo, Devices, Run
from models.errors import AgentError, InputError

console = Console(stderr=True, highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 failed, 2 wrong usage or input."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments == ["--version"]:
        print(f"agent {version('portrait-agent')}")
        return 0
    command: Command = tyro.cli(
        Command,
        prog="agent",
        description="A virtual-camera avatar agent: one portrait photo becomes a live, talking person.",
        args=arguments or ["--help"],
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    warnings = _Warnings(logging.WARNING)
    logging.getLogger().addHandler(warnings)
    try:
        match command:
            case Run():
                run(command)
            case Demo():
                demo(command)
            case Devices():
                devices()
            case _:
                assert_never(command)
    except AgentError as error:
        _say(f"agent: {error}")
        return error.exit_code
    finally:
        logging.getLogger().removeHandler(warnings)
    return 0


class _Warnings(logging.Handler):
    """One line per warning, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints it."""
        _say(f"agent: {record.levelname.lower()}: {record.getMessage()}")


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def run(config: Run) -> None:
    """`agent run`."""
    from agent.build import build  # numba, mediapipe and the like: seconds that --help need not pay

    session = build(config, _say)
    with _stopped_by_signals(session.loop.stop):
        if session.plan.offline:
            with _progress(session.plan.frames) as advance:
                session.loop.run_offline(session.plan.frames, advance)
        else:
            for sink in session.sinks:
                _say(f"{sink.name}: {getattr(sink, 'url', 'on')}")
            with _status_line(session.status):
                session.loop.run_live()
    report = session.report()
    for name in session.plan.outputs:
        if Path(name).is_file():
            _say(f"wrote {name}")
    if config.report is not None:
        config.report.write_text(json.dumps(report.as_dict(), indent=2) + "\n")


def demo(config: Demo) -> None:
    """`agent demo`."""
    try:
        config.output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output {config.output}: {error.strerror or error}") from None
    example = files("agent") / "example"
    with as_file(example / "portrait.png") as portrait, as_file(example / "speech.wav") as speech:
        run(Run(portrait=portrait, microphone=str(speech), output=(str(config.output),)))
    print(config.output.resolve())


def devices() -> None:
    """`agent devices`."""
    from agent.devices import describe_devices

    print(describe_devices())


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C or SIGTERM ends the run cleanly; a second Ctrl-C at once."""

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar for offline rendering."""
    columns = (TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("frames", total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def _status_line(status: Callable[[], dict[str, Any]]) -> Iterator[None]:
    """One line with rate and latency: renewed every half second on a terminal, else printed every ten."""
    ended = threading.Event()

    def show() -> None:
        terminal = console.is_terminal
        while not ended.wait(0.5 if terminal else 10.0):
            now = status()
            line = (
                f"{now['fps_rendered']:.1f} fps, latency {now['latency_ms']['p50']:.0f} ms "
                f"(p95 {now['latency_ms']['p95']:.0f}), {now['dropped']} dropped; Ctrl-C ends"
            )
            if terminal:
                sys.stderr.write(f"\r\x1b[K{line}")
                sys.stderr.flush()
            else:
                _say(line)
        if terminal:
            sys.stderr.write("\r\x1b[K")

    thread = threading.Thread(target=show, name="status line", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
