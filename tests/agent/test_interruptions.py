"""Runs that are ended, or cut off from where they talk to."""

import json
import signal
import sys
import time

import av
import numpy as np
import pytest
from scipy.io import wavfile

from agent.cli import main
from agent.interrupt import interruptible
from runtime.sinks.video_file import VideoFile
from tests.agent.clips import decode, make_clip, speech
from tests.agent.command import SMALL, agent_process, wait_until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("pace", ["--offline", "--realtime"])
def test_a_signal_ends_a_run_cleanly_and_keeps_a_playable_file(number, pace, portrait_png, tmp_path):
    wavfile.write(tmp_path / "long.wav", 16_000, speech(60.0, 16_000))
    out = tmp_path / "o.mp4"
    arguments = ["run", "--portrait", str(portrait_png), "--microphone", str(tmp_path / "long.wav"), pace, *SMALL]
    with agent_process(*arguments, "--output", str(out)) as process:
        wait_until(lambda: any(path.stat().st_size > 20_000 for path in tmp_path.glob(".*")))
        process.send_signal(number)
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 0, errors
    pictures = len(decode(out)[0])
    assert "Traceback" not in errors and pictures > 5
    assert errors.splitlines()[-1] == f"wrote {out}" + (f": {pictures} of 1500 pictures" if pace == "--offline" else "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.wav", "o.mp4"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_preparing_leaves_nothing(number, portrait_png, wav, tmp_path):
    out = tmp_path / "o.mp4"
    with agent_process(
        "run", "--portrait", str(portrait_png), "--microphone", str(wav), "--output", str(out)
    ) as process:
        wait_until(lambda: list(tmp_path.glob(".o*")))
        process.send_signal(number)
        errors = process.communicate(timeout=30)[1]
    last = errors.splitlines()[-1]
    assert (process.returncode, last.partition(":")[0]) in [(130, "agent"), (0, f"wrote {out}")]
    assert process.returncode == 0 or last == "agent: interrupted"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_interrupt_while_a_file_is_opened_leaves_nothing(portrait_png, wav, tmp_path, monkeypatch, capsys):
    class Interrupted(VideoFile):
        def __init__(self, *given, **options):
            super().__init__(*given, **options)
            assert list(tmp_path.glob(".o.partial.mp4"))
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("agent.build.VideoFile", Interrupted)
    out = tmp_path / "o.mp4"
    assert main(["run", "--portrait", str(portrait_png), "--microphone", str(wav), "--output", str(out), *SMALL]) == 130
    assert capsys.readouterr().err.strip() == "agent: interrupted"
    assert list(tmp_path.iterdir()) == [wav]


def test_an_interrupt_between_preparing_and_the_first_picture_leaves_nothing(
    portrait_png, wav, tmp_path, monkeypatch, capsys
):
    def interrupted(*_):
        assert list(tmp_path.glob(".o.partial.mp4"))
        raise KeyboardInterrupt

    monkeypatch.setattr("runtime.loop.Loop.run_offline", interrupted)
    out = tmp_path / "o.mp4"
    assert main(["run", "--portrait", str(portrait_png), "--microphone", str(wav), "--output", str(out), *SMALL]) == 130
    assert capsys.readouterr().err.strip() == "agent: interrupted"
    assert list(tmp_path.iterdir()) == [wav]


def test_a_signal_while_preparing_ends_it_at_once(portrait_png, wav, tmp_path, monkeypatch, capsys):
    prepared = []

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGTERM)
        prepared.append(arguments)

    monkeypatch.setattr("agent.build.first_look", interrupted)
    out = tmp_path / "o.mp4"
    assert main(["run", "--portrait", str(portrait_png), "--microphone", str(wav), "--output", str(out), *SMALL]) == 130
    assert capsys.readouterr().err.strip() == "agent: interrupted"
    assert prepared == [] and list(tmp_path.iterdir()) == [wav]


@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="processes are stopped and go on by POSIX signals")
def test_a_run_that_was_suspended_skips_what_it_slept_through(portrait_png, tmp_path):
    wavfile.write(tmp_path / "long.wav", 16_000, speech(12.0, 16_000))
    out, report = tmp_path / "o.mp4", tmp_path / "r.json"
    files = ["--microphone", str(tmp_path / "long.wav"), "--output", str(out), "--report", str(report)]
    with agent_process("run", "--portrait", str(portrait_png), "--realtime", *files, *SMALL) as process:
        wait_until(lambda: any(path.stat().st_size > 20_000 for path in tmp_path.glob(".*")))
        process.send_signal(signal.SIGSTOP)
        time.sleep(3.0)
        process.send_signal(signal.SIGCONT)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 0, errors
    figures = json.loads(report.read_text())
    assert figures["dropped"] >= 70, "the pictures of three seconds are not made up for"
    assert figures["lost"]["audio"] >= 50, "nor is their sound, but for its last second"
    with av.open(str(out)) as container:
        times_s = [float(frame.time) for frame in container.decode(video=0)]
    gaps_s = np.diff(times_s)
    assert gaps_s.max() >= 2.8 and gaps_s.min() > 0.039
    assert len(times_s) <= 25 * times_s[-1] - 65, "no picture comes sooner for it"
    assert 11.0 < times_s[-1] < 15.0, "the sound does not end three seconds later"


def test_a_run_outlives_the_pipe_that_it_talks_to(portrait_png, tmp_path):
    wall = make_clip(tmp_path / "wall.mp4", [np.full((96, 96, 3), 90, np.uint8)] * 75, 25)
    out = tmp_path / "o.mp4"
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(wall), "--realtime", *SMALL]
    with agent_process(*arguments, "--output", str(out)) as process:
        process.stderr.close()  # the warning about the missing face meets a broken pipe
        assert process.wait(timeout=60) == 0
    assert out.is_file()


def test_an_ignored_hangup_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
