"""What runs make in a real PulseAudio server, and what of it they remove."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.errors import InputError
from runtime.clock import MonotonicClock
from runtime.sinks.pulse_modules import pactl
from runtime.sinks.sound_outputs import PulseOutput
from tests.sound_server import SoundServer

LABEL = 'Zoë\'s "voice" \\ 1'
CLOCK = MonotonicClock()


@pytest.mark.parametrize("module", ["module-null-sink", "module-remap-source"])
def test_a_refused_module_is_said_and_leaves_nothing(
    server: SoundServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str
) -> None:
    before = pactl("list", "short", "modules")
    refusing = tmp_path / "pactl"
    real = next(p for p in (Path(f) / "pactl" for f in os.environ["PATH"].split(":")) if p.exists())
    refusing.write_text(
        f'#!/bin/sh\ncase "$*" in *load-module\\ {module}*) echo Failure: Access denied >&2; exit 1;; esac\n'
        f'exec {real} "$@"\n'
    )
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(InputError, match=rf"refuses .*{module}: Failure: Access denied"):
        PulseOutput(LABEL, CLOCK)
    assert pactl("list", "short", "modules") == before


RUN = """
import sys
from runtime.sinks.pulse_modules import PulseMicrophone

made = PulseMicrophone(sys.argv[1])
print("made", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_run(server: SoundServer) -> Iterator[Callable[[str], None]]:
    """Begins runs that have made a microphone of a name and do not play yet."""
    runs: list[subprocess.Popen[bytes]] = []

    def begin(label: str) -> None:
        options = {"env": server.environment, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        runs.append(subprocess.Popen([sys.executable, "-c", RUN, label], **options))
        assert runs[-1].stdout is not None and runs[-1].stdout.readline() == b"made\n"

    yield begin
    for run in runs:
        run.kill()
        run.communicate()


def test_a_microphone_that_another_run_does_not_feed_yet_is_left_alone(other_run: Callable[[str], None]) -> None:
    other_run("theirs")
    theirs = pactl("list", "short", "modules")
    with pytest.raises(InputError, match="belongs to another run"):
        PulseOutput("theirs", CLOCK)
    PulseOutput(LABEL, CLOCK).close()
    assert pactl("list", "short", "modules") == theirs


def test_what_another_run_made_after_a_restart_of_the_server_is_left_alone(
    server: SoundServer, other_run: Callable[[str], None]
) -> None:
    output = PulseOutput(LABEL, CLOCK)
    server.kill()
    server.start()
    other_run(LABEL)
    theirs = pactl("list", "short", "modules")
    with pytest.raises(InputError, match="belongs to another run"):
        output.reopen()
    output.close()
    assert pactl("list", "short", "modules") == theirs
