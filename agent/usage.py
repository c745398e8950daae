"""From the words of a command line to a command, or to one line that says what cannot be understood."""

import io
import re
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import fields
from difflib import get_close_matches

import tyro

from agent.config.bench import Bench
from agent.config.calibrate import Calibrate
from agent.config.call import Call
from agent.config.command import Command
from agent.config.doctor import Devices, Doctor
from agent.config.eval import Eval
from agent.config.models import Models, ModelsBuild, ModelsImport, ModelsList, ModelsRemove
from agent.config.personalise import Personalise
from agent.config.run import Demo, Run
from models.errors import InputError

_COMMANDS: dict[str, type] = {
    "run": Run,
    "call": Call,
    "demo": Demo,
    "devices": Devices,
    "doctor": Doctor,
    "calibrate": Calibrate,
    "personalise": Personalise,
    "models": Models,
    "models import": ModelsImport,
    "models build": ModelsBuild,
    "models list": ModelsList,
    "models remove": ModelsRemove,
    "bench": Bench,
    "eval": Eval,
}
_FRAME = " ─│╭╮╰╯"  # drawn around what is wrong with a command line
_HELP = {"-h", "--help"}
_MISSING = re.compile(r"Missing from (agent[a-z ]*): +(?:(--\S+ (?:\[.*\]|\S+))|\{(\S+)\})")
_NESTED = re.compile(r"'action\.(\w+)'")  # a setting of `agent models`, by the name that the code has for it


def parse(arguments: Sequence[str]) -> Command:
    """The command. Raises InputError, in one line, for what cannot be understood, and SystemExit(0) after `--help`."""
    told = io.StringIO()
    if _HELP.intersection(arguments) and (name := _command(arguments)):
        arguments = [*name.split(), "--help"]  # the parser's usage leaves out what is given
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
        raise InputError(_unknown_word(arguments) or _in_one_line(told.getvalue())) from None
    return command


def _unknown_word(arguments: Sequence[str]) -> str:
    """What to say of a command or option that there is none of, with the nearest one; empty if they are all known."""
    name = _command(arguments)
    if not name:
        return f"there is no command {arguments[0]}{_nearest(arguments[0], _COMMANDS)}; agent --help lists them"
    options = {"--help", *(f"--{field.name.replace('_', '-')}" for field in fields(_COMMANDS[name]))}
    for word in arguments:
        option = word.partition("=")[0].replace("_", "-")
        if option.startswith("--") and option not in options:
            return f"agent {name} has no option {option}{_nearest(option, options)}; agent {name} --help lists them"
    return ""


def _command(arguments: Sequence[str]) -> str:
    """The command that is given, "run" or "models import"; empty if there is none of that name."""
    return next((name for name in (" ".join(arguments[:2]), arguments[0]) if name in _COMMANDS), "")


def _nearest(word: str, known: Sequence[str] | dict[str, type] | set[str]) -> str:
    near = get_close_matches(word, known, 1)
    return f": {near[0]}?" if near else ""


def _in_one_line(told: str) -> str:
    """The parser's own words without its frame, shorter where something is missing."""
    frameless = [line.strip(_FRAME) for line in told.splitlines()]
    paragraphs = " ".join(line if line.strip("-") else "\n" for line in frameless[1:-1]).split("\n")
    line = _NESTED.sub(r"'\1'", "; ".join(text.strip().rstrip(".") for text in paragraphs if text.strip()))
    missing = _MISSING.match(line)
    if missing is None:
        return line
    command, option, choices = missing.groups()
    return f"{command} needs {option or choices.replace(',', ' or ')}; {command} --help explains all settings"
