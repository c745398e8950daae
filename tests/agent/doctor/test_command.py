"""`agent doctor` as a command of its own, on this machine as it is."""

import io
import json
import os
import re
import subprocess
import sys

import pytest
from rich.console import Console

from agent.cli import main
from agent.doctor.diagnosis import diagnose
from agent.doctor.report import show
from tests.agent.doctor.machine import spoilt


def examined(environment, *options):
    """Exit code and the JSON that it prints."""
    code = "from agent.program import program; program()"
    command = [sys.executable, "-c", code, "doctor", "--json", "--size", "128", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)
    return done.returncode, json.loads(done.stdout)


def found(told, group):
    return {finding["id"]: finding for finding in told["findings"] if finding["id"].startswith(group)}


@pytest.mark.alone
def test_a_machine_with_sound_is_ready_and_a_muted_or_wrong_microphone_is_seen(sound_server):
    def pactl(*arguments):
        subprocess.run(["pactl", *arguments], env=sound_server.environment, check=True, capture_output=True)

    outputs = ("--output", "preview", "--output", "virtual-microphone")
    code, told = examined(sound_server.environment, *outputs)
    assert (code, told["would_fail"]) == (0, False), told
    assert told["run"]["outputs"] == ["preview", "virtual-microphone"]
    ids = {finding["id"] for finding in told["findings"]}
    assert {"microphone.ok", "virtual-microphone.ok", "preview.ok", "packages.ok"} <= ids
    pactl("set-source-mute", "mic", "1")
    code, told = examined(sound_server.environment, "--output", "preview")
    assert list(found(told, "microphone")) == ["microphone.muted", "microphone.ok"] and code == 0


def test_a_run_that_would_fail_is_told_with_every_reason(portrait_png, tmp_path):
    nowhere = {**os.environ, "PULSE_SERVER": f"unix:{tmp_path}/none", "HOME": str(tmp_path)}
    nowhere.pop("XDG_RUNTIME_DIR", None)
    options = ("--mode", "both", "--camera", "nobody has this", "--microphone", "nor this", "--engine", "real3d")
    code, told = examined(nowhere, "--output", "preview", *options)
    assert (code, told["would_fail"]) == (1, True)
    failures = {finding["id"].partition(".")[0] for finding in told["findings"] if finding["severity"] == "failure"}
    assert failures == {"camera", "microphone", "weights"}
    assert all(finding["remedy"] for finding in told["findings"] if finding["severity"] == "failure")


def test_it_takes_every_option_of_a_run_and_looks_at_what_they_name(portrait_png, wav, tmp_path, capsys):
    (tmp_path / "p.json").write_text("hello")
    run = ["--portrait", str(portrait_png), "--microphone", str(wav), "--output", str(tmp_path / "o.mp4")]
    more = ["--framing", "head", "--quality", "best", "--look-ahead", "40", "--size", "128"]
    for options, failing in (
        ([], []),
        (["--profile", str(tmp_path / "p.json")], ["profile.refused"]),
        (["--background", str(tmp_path / "p.json")], ["portrait.refused"]),
        (["--background", "nope.png"], ["settings.refused"]),
    ):
        assert main(["doctor", *run, *more, *options, "--json"]) == int(bool(failing))
        told = json.loads(capsys.readouterr().out)
        assert [f["id"] for f in told["findings"] if f["severity"] == "failure"] == failing
    assert [path.name for path in tmp_path.iterdir() if path.name != wav.name] == ["p.json"]


def test_no_remedy_is_said_twice(tmp_path):
    nowhere = {**os.environ, "PULSE_SERVER": f"unix:{tmp_path}/none"}
    options = ("--mode", "both", "--output", "preview", "--output", "virtual-microphone")
    _, told = examined(nowhere, *options)
    for finding in told["findings"]:
        if finding["severity"] == "failure":
            assert finding["remedy"] not in finding["what"], "each has a remedy of its own line"


def test_settings_of_no_use_are_a_finding(tmp_path, capsys):
    missing = tmp_path / "none.png"
    assert main(["doctor", "--portrait", str(missing), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [f["what"] for f in told["findings"] if f["severity"] == "failure"] == [
        f"--portrait {missing}: no such file"
    ]


@pytest.mark.parametrize("failing", [False, True])
def test_what_a_person_reads_is_short_and_without_colours_in_a_pipe(failing, monkeypatch, capsys):
    faults = {"equipment.trials.camera.refusal": "camera 0 gives no picture"} if failing else {}
    monkeypatch.setattr("agent.commands.doctor.survey", lambda config, say: spoilt(faults))
    assert main(["doctor"]) == int(failing)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    lines = shown.splitlines()
    assert ("failure  camera: camera 0 gives no picture" in lines) == failing
    assert lines[-1] == f"agent run would {'fail here (1 failure)' if failing else 'work here'}"
    told = [line[9:].partition(":")[0] for line in lines[:-1]]
    assert len(told) == len(set(told)), "what is well takes one line for each group"


def test_a_remedy_stands_below_its_finding(monkeypatch, capsys):
    monkeypatch.setattr("agent.commands.doctor.survey", lambda config, say: spoilt({"computer.cores": 1}))
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("warning  computer: one core"))
    assert lines[place + 1].startswith("         -> --size 256")
    assert lines[-1].endswith("(1 warning)")


def test_on_a_terminal_words_are_coloured_and_lines_wrapped():
    console = Console(file=io.StringIO(), force_terminal=True, width=60, highlight=False)
    show(console, diagnose(spoilt({"packages.unmet": ("numpy 2.3.0 is not <2,>=1.26.4", "protobuf 5.29 is not <5")})))
    lines = console.file.getvalue().splitlines()
    assert lines[0].startswith("\x1b[33mwarning\x1b[0m  packages: not as")
    assert lines[1].startswith("         ")
    assert max(len(re.sub("\x1b\\[[0-9;]*m", "", line)) for line in lines) <= 60
