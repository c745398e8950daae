"""The command line: `agent run`, `demo`, `devices`, `doctor`, `calibrate`, `models` and `bench`."""

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from types import FrameType
from typing import Any, assert_never

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.config import (
    Bench,
    Calibrate,
    Demo,
    Devices,
    Doctor,
    Models,
    ModelsBuild,
    ModelsImport,
    ModelsList,
    ModelsRemove,
    Run,
)
from agent.patience import patiently
from agent.program import ENDING_SIGNALS
from agent.usage import parse
from models.errors import AgentError, InputError

_MEGABYTE = 1_000_000
_INSIST_NS = 1_000_000_000  # a second Ctrl-C counts from then on
_SAY_EVERY_NS = 10_000_000_000

console = Console(stderr=True, highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 failed, 2 wrong usage or input, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments == ["--version"]:
        print(f"agent {version('portrait-agent')}")
        return 0
    warnings = _Warnings(logging.WARNING)
    logging.getLogger().addHandler(warnings)
    try:
        match command := parse(arguments or ["--help"]):
            case Doctor():
                return int(not doctor(command))
            case Run():
                run(command)
            case Demo():
                demo(command)
            case Devices():
                devices()
            case Calibrate():
                calibrate(command)
            case Models():
                models(command)
            case Bench():
                bench(command)
            case _:
                assert_never(command)
    except AgentError as error:
        _say(f"agent: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if "AGENT_TRACEBACK" in os.environ:
            raise
        _say(f"agent: failed: {type(error).__name__}: {error} (AGENT_TRACEBACK=1 shows where)")
        return 1
    finally:
        logging.getLogger().removeHandler(warnings)
    return 0


class _Warnings(logging.Handler):
    """One line per warning, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints it."""
        _say(f"agent: {record.levelname.lower()}: {record.getMessage()}")


def _say(line: str) -> None:
    """Prints a line; never fails, since a run must outlive the terminal or pipe that it talks to."""
    with suppress(OSError, ValueError, SystemExit):  # rich turns a broken pipe into SystemExit
        console.print(line, markup=False, soft_wrap=True)


def run(config: Run) -> None:
    """`agent run`."""
    from agent.build import build  # numba, mediapipe and the like: seconds that --help need not pay
    from agent.metrics import served_metrics

    with _interruptible(at_once=True) as interrupt:
        session = None
        try:
            session = build(config, _say, lambda: interrupt.asked)
            interrupt.stop_with(session.loop.stop)
            if session.plan.offline:
                with _progress(session.plan.frames) as advance:
                    session.loop.run_offline(session.plan.frames, advance)
            else:
                for sink in session.sinks:
                    _say(f"{sink.name}: {getattr(sink, 'url', 'on')}")
                with served_metrics(config.metrics_port, session.status, _say), _status_line(session.status):
                    session.loop.run_live()
        finally:  # a failed run is the one whose figures are wanted most
            if session is not None:
                session.close()
            if session is not None and config.report is not None:
                _write_report(config.report, session.report().as_dict())
        if interrupt.asked and session.loop.tempo.frames == 0:
            raise KeyboardInterrupt
        done, wanted = session.loop.tempo.frames, session.plan.frames
        cut = f": {done} of {wanted} pictures" if interrupt.asked and session.plan.offline and done < wanted else ""
        for path in session.written():
            _say(f"wrote {path}{cut}")


def _write_report(path: Path, figures: dict[str, object]) -> None:
    try:
        path.write_text(json.dumps(figures, indent=2) + "\n")
    except OSError as error:
        raise AgentError(f"--report {path} cannot be written: {error.strerror or error}") from None


def demo(config: Demo) -> None:
    """`agent demo`."""
    from runtime.sinks.codecs import EXTENSIONS

    if config.output.suffix.lower() not in EXTENSIONS:
        raise InputError(f"--output {config.output}: give a file ending in {', '.join(EXTENSIONS)}")
    try:
        config.output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output {config.output}: {error.strerror or error}") from None
    example = files("agent") / "example"
    with as_file(example / "portrait.png") as portrait, as_file(example / "speech.wav") as speech:
        run(Run(portrait=portrait, microphone=str(speech), output=(str(config.output),), framing="head"))
    print(config.output.resolve())


def devices() -> None:
    """`agent devices`."""
    from agent.devices import describe_devices

    print(describe_devices())


def doctor(config: Doctor) -> bool:
    """`agent doctor`: whether `agent run` would work."""
    from agent.doctor.diagnosis import diagnose
    from agent.doctor.finding import would_fail
    from agent.doctor.report import as_dict, show
    from agent.doctor.survey import survey

    with _interruptible(at_once=True), console.status("") as status:
        system = survey(config, lambda what: status.update(f"looking at {what}"))
    findings = diagnose(system)
    if config.json:
        print(json.dumps(as_dict(config, system, findings), indent=2))
    else:
        show(Console(highlight=False), findings)
    return not would_fail(findings)


def calibrate(config: Calibrate) -> None:
    """`agent calibrate`."""
    from agent.calibrate import Calibration
    from agent.calibrate_speech import SpeechCalibration

    with _interruptible(at_once=True) as interrupt:
        calibration = SpeechCalibration(config) if config.speech else Calibration(config)
        interrupt.stop_with(calibration.stop)
        if calibration.live:
            learnt = calibration.guide(_say)
        else:
            with _progress(calibration.frames, "learning") as advance:
                learnt = calibration.learn(advance)
    for line in learnt:
        _say(line)
    _say(f"wrote {config.output}")


def models(config: Models) -> None:
    """`agent models`."""
    from agent.weights import describe, remove, status

    match config.action:
        case ModelsImport():
            _import(config.action)
        case ModelsBuild():
            _build(config.action)
        case ModelsList(as_json, verify):
            known = status(verify)
            print(json.dumps(known, indent=2) if as_json else describe(known["engines"]))
        case ModelsRemove():
            _say(remove(config.action))
        case _:
            assert_never(config.action)


def bench(config: Bench) -> None:
    """`agent bench`."""
    from agent.bench.latency import LatencyBench

    with _interruptible(at_once=True) as interrupt:
        task = LatencyBench(config, _say)
        interrupt.stop_with(task.stop)
        figures = task.run()
    print(json.dumps(figures.as_dict(), indent=2) if config.json else figures)


def _import(config: ModelsImport) -> None:
    from agent.weights import Import

    with _interruptible() as interrupt:
        task = Import(config)
        with _progress(task.total_bytes // _MEGABYTE, "importing, MB") as advance:
            done = 0

            def more(new_bytes: int) -> None:
                nonlocal done
                if interrupt.asked:
                    raise KeyboardInterrupt
                done += new_bytes
                advance(done // _MEGABYTE)

            folder = task.run(more)
    _say(f"wrote {folder}; agent models list says what is there")


def _build(config: ModelsBuild) -> None:
    from agent.building import build

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with _interruptible() as interrupt, bar:
        task = bar.add_task("", total=None)

        def told(phase: str, done: int, total: int) -> bool:
            bar.update(task, description=phase, completed=done, total=total)
            return not interrupt.asked

        say = (lambda line: None) if console.is_terminal else _say
        try:
            path = patiently("building", lambda: build(config, _say, told), lambda: interrupt.asked, say)
        except AgentError:
            if interrupt.asked:
                raise KeyboardInterrupt from None
            raise
    _say(f"wrote {path}")


class _Interrupt:
    """What Ctrl-C, SIGTERM and SIGHUP do: end the run cleanly, or, before it starts, end at once or be noted."""

    def __init__(self, at_once: bool) -> None:
        self.asked = False
        self.raised = False
        """Whether a KeyboardInterrupt was raised wherever the body was."""
        self._at_once = at_once
        self._stop: Callable[[], None] | None = None
        self._since_ns = 0

    def stop_with(self, stop: Callable[[], None]) -> None:
        """`stop` ends the run from now on."""
        self._stop = stop
        if self.asked:
            stop()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now_ns, again = time.monotonic_ns(), self.asked
        insists = again and now_ns - self._since_ns > _INSIST_NS
        self.asked, self._since_ns = True, now_ns
        if insists or (not again and self._stop is None and self._at_once):
            self.raised = True
            raise KeyboardInterrupt
        if not again and self._stop is not None:
            # Setting an event in a handler can deadlock with the thread that it interrupts.
            threading.Thread(target=self._stop, name="stop", daemon=True).start()


@contextmanager
def _interruptible(at_once: bool = False) -> Iterator[_Interrupt]:
    """Ctrl-C and SIGTERM end the body cleanly; `at_once`, by a KeyboardInterrupt until it says how to stop it."""
    interrupt = _Interrupt(at_once)
    heard = [
        number for number in ENDING_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN
    ]  # nohup ignores some
    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield interrupt
    except BaseException as error:
        if not interrupt.raised and not isinstance(error, KeyboardInterrupt):
            raise
        _say("agent: interrupted")
        raise KeyboardInterrupt from error  # a library that is imported makes an ImportError of it
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(total: int, doing: str = "rendering") -> Iterator[Callable[[int], None]]:
    """A bar for what is done offline; where there is no terminal, a line every ten seconds."""
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task, said_ns = progress.add_task("frames", total=total), time.monotonic_ns()

        def advance(done: int) -> None:
            nonlocal said_ns
            progress.update(task, completed=done)
            if not console.is_terminal and time.monotonic_ns() - said_ns >= _SAY_EVERY_NS:
                said_ns = time.monotonic_ns()
                _say(f"{doing}: {done} of {total}")

        yield advance


@contextmanager
def _status_line(status: Callable[[], dict[str, Any]]) -> Iterator[None]:
    """One line with rate and latency: renewed every half second on a terminal, else printed every ten."""
    ended = threading.Event()

    def show() -> None:
        terminal = console.is_terminal
        while not ended.wait(0.5 if terminal else 10.0):
            now = status()
            ages = now["latency_ms"]
            late = "" if ages is None else f"latency {ages['p50']:.0f} ms (p95 {ages['p95']:.0f}), "
            line = f"{now['fps_rendered']:.1f} fps, {late}{now['dropped']} dropped; Ctrl-C ends"
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
