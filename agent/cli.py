"""The command line: which command was given, and how it ends."""

import io
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from importlib.metadata import version
from typing import assert_never

import tyro

from agent.config import Bench, Calibrate, Command, Demo, Devices, Doctor, Models, Run
from agent.patience import Abandoned
from agent.terminal import say
from models.errors import AgentError, InputError

_FRAME = " ─│╭╮╰╯"  # drawn around what is wrong with a command line


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 failed, 2 wrong usage or input."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments == ["--version"]:
        print(f"agent {version('portrait-agent')}")
        return 0
    warnings = _Warnings(logging.WARNING)
    logging.getLogger().addHandler(warnings)
    try:
        return _carry_out(parse(arguments or ["--help"]))
    except AgentError as error:
        say(f"agent: {error}")
        return error.exit_code
    except KeyboardInterrupt as stop:
        say("agent: interrupted")
        if isinstance(stop, Abandoned):
            os._exit(130)  # a library that is at work would crash where it is shut down
        return 130
    except Exception as error:
        if "AGENT_TRACEBACK" in os.environ:
            raise
        say(f"agent: failed: {type(error).__name__}: {error} (AGENT_TRACEBACK=1 shows where)")
        return 1
    finally:
        logging.getLogger().removeHandler(warnings)


def parse(arguments: Sequence[str]) -> Command:
    """The command. Raises InputError, in one line, for what cannot be understood, and SystemExit(0) after `--help`."""
    told = io.StringIO()
    try:
        with redirect_stderr(told):
            command: Command = tyro.cli(
                Command,
                prog="agent",
                description="A virtual-camera avatar agent: one portrait photo becomes a live, talking person.",
                args=arguments,
                config=(tyro.conf.FlagCreatePairsOff,),
            )
    except SystemExit as stop:
        if stop.code in (None, 0):
            raise
        frameless = [line.strip(_FRAME) for line in told.getvalue().splitlines()]
        paragraphs = " ".join(line or "\n" for line in frameless[1:-1]).split("\n")
        raise InputError("; ".join(text.strip().rstrip(".") for text in paragraphs)) from None
    return command


def _carry_out(command: Command) -> int:
    """The exit code. Each command is imported by itself: numba, mediapipe and the like take seconds."""
    match command:
        case Run():
            from agent.commands.run import run

            run(command)
        case Demo():
            from agent.commands.run import demo

            demo(command)
        case Devices():
            from agent.devices import describe_devices

            print(describe_devices())
        case Doctor():
            from agent.commands.doctor import doctor

            return int(not doctor(command))
        case Calibrate():
            from agent.commands.calibrate import calibrate

            calibrate(command)
        case Models():
            from agent.commands.models import models

            models(command)
        case Bench():
            from agent.commands.bench import bench

            bench(command)
        case _:
            assert_never(command)
    return 0


class _Warnings(logging.Handler):
    """One line per warning, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints it."""
        say(f"agent: {record.levelname.lower()}: {record.getMessage()}")
