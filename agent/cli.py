"""The command line: which command was given, and how it ends."""

import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import assert_never

from agent.config.bench import Bench
from agent.config.calibrate import Calibrate
from agent.config.call import Call
from agent.config.command import Command
from agent.config.doctor import Devices, Doctor
from agent.config.eval import Eval
from agent.config.models import Models
from agent.config.personalise import Personalise
from agent.config.run import Demo, Run
from agent.terminal import say
from agent.usage import parse
from models.errors import AgentError
from runtime.faults import in_words


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 failed, 2 wrong usage or input, 130 interrupted."""
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
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141  # who read the answer has read enough
    except Exception as error:
        if "AGENT_TRACEBACK" in os.environ:
            raise
        say(f"agent: failed: {in_words(error)} (AGENT_TRACEBACK=1 shows where)")
        return 1
    finally:
        logging.getLogger().removeHandler(warnings)


def _carry_out(command: Command) -> int:
    """The exit code. Each command is imported by itself: numba, mediapipe and the like take seconds."""
    match command:
        case Doctor():
            from agent.commands.doctor import doctor

            return int(not doctor(command))
        case Run():
            from agent.commands.run import run

            run(command)
        case Call():
            from agent.commands.call import call

            call(command)
        case Demo():
            from agent.commands.run import demo

            demo(command)
        case Devices():
            from agent.devices import describe_devices

            print(describe_devices())
        case Calibrate():
            from agent.commands.calibrate import calibrate

            calibrate(command)
        case Personalise():
            from agent.commands.personalise import personalise

            personalise(command)
        case Models():
            from agent.commands.models import models

            models(command)
        case Bench():
            from agent.commands.bench import bench

            bench(command)
        case Eval():
            from agent.commands.eval import evaluate

            evaluate(command)
        case _:
            assert_never(command)
    return 0


class _Warnings(logging.Handler):
    """One line per warning, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints it."""
        say(f"agent: {record.levelname.lower()}: {record.getMessage()}")
