"""The examples beside the documentation say what the command line understands."""

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.config.run import Run
from agent.usage import parse

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
UNIT, ENTRY = EXAMPLES / "portrait-agent.service", EXAMPLES / "portrait-agent.desktop"


def read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


def test_the_unit_starts_a_run():
    program, *arguments = shlex.split(read(UNIT)["Service"]["ExecStart"])
    command = parse(arguments)
    assert program.endswith("/.venv/bin/agent")
    assert isinstance(command, Run) and command.output == ("virtual-camera", "virtual-microphone")
    assert read(UNIT)["Service"]["Restart"] == "on-failure"


def test_the_menu_entry_starts_and_ends_that_unit():
    entry = read(ENTRY)
    commands = [entry[group]["Exec"] for group in ("Desktop Entry", "Desktop Action stop")]
    assert commands == [f"systemctl --user {verb} {UNIT.name}" for verb in ("start", "stop")]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="apt-get install systemd")
def test_systemd_understands_the_unit(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("%h/portrait-agent/.venv/bin/agent", "/bin/true"))
    command = ["systemd-analyze", "verify", "--user", str(unit)]
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
