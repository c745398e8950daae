"""Runs whose camera or virtual camera has a driver that does not come back from a read or a write."""

import json
import signal
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import pytest
from scipy.io import wavfile

from agent.build import Session
from agent.config.run import Run
from agent.plan import make_plan
from agent.probe import Probe
from models.builtin.avatar import BuiltinAvatar
from models.portrait import Portrait
from runtime.answers import Answers
from runtime.clock import Clock, MonotonicClock
from runtime.engines.builtin import BuiltinEngine
from runtime.frame import Frame
from tests.agent.clips import decode, speech
from tests.agent.command import SMALL, agent_process, wait_until

CODE = f"""
import sys
sys.path.append({str(Path(__file__).parents[2] / "scripts")!r})
import stuck_devices
stuck_devices.install_DEVICE()
from agent.program import program
program()
"""


def heard(process: Popen[str], words: str) -> str:
    """The next line with these words in it."""
    assert process.stderr is not None
    line = next((line for line in process.stderr if words in line), None)
    assert line is not None, "it has ended"
    return line.strip()


def end(process: Popen[str], number: int) -> Iterator[str]:
    process.send_signal(number)
    return iter(process.communicate(timeout=30)[1].splitlines())


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_camera_that_answers_no_more_is_told_and_left_behind(number, portrait_png, tmp_path):
    out, report = tmp_path / "o.mp4", tmp_path / "r.json"
    arguments = ["--portrait", str(portrait_png), "--mode", "video", "--camera", "0", *SMALL]
    outputs = ["--output", str(out), "--output", "preview", "--report", str(report)]
    with agent_process("run", *arguments, *outputs, code=CODE.replace("DEVICE", "camera")) as process:
        page = heard(process, "preview: ").removeprefix("preview: ")
        told = heard(process, "does not answer")
        assert told == "agent: warning: camera 0 (a camera) does not answer: the face idles until it does"
        drawn = status(page)["frames"]
        assert status(page)["silent"] == ["camera 0 (a camera)"]
        wait_until(lambda: status(page)["frames"] > drawn + 5)
        last = list(end(process, number))
    assert process.returncode == 0, last
    assert "agent: warning: camera 0 (a camera) does not answer and is left behind" in last
    assert f"wrote {out}" in last and len(decode(out)[0]) > 5
    figures = json.loads(report.read_text())
    assert figures["silent"] == ["camera 0 (a camera)"] and figures["faults"] == {"video input": 1}


def status(page):
    with urllib.request.urlopen(f"{page}status.json", timeout=20) as answer:
        return json.load(answer)


@pytest.mark.alone
def test_a_virtual_camera_that_answers_no_more_is_told_and_left_behind(portrait_png, tmp_path):
    wavfile.write(tmp_path / "long.wav", 16_000, speech(60.0, 16_000))
    report = tmp_path / "r.json"
    arguments = ["--portrait", str(portrait_png), "--microphone", str(tmp_path / "long.wav"), *SMALL]
    outputs = ["--output", "virtual-camera", "--output", "preview", "--report", str(report)]
    with agent_process("run", *arguments, *outputs, code=CODE.replace("DEVICE", "virtual_camera")) as process:
        page = heard(process, "preview: ").removeprefix("preview: ")
        told = heard(process, "does not answer")
        assert told == "agent: warning: the output virtual-camera does not answer: it misses pictures until it does"
        drawn = status(page)["frames"]
        assert status(page)["silent"] == ["the output virtual-camera"]
        wait_until(lambda: status(page)["frames"] > drawn + 5)
        *_, last = end(process, signal.SIGINT)
    assert process.returncode == 1
    assert last == "agent: the output virtual-camera does not answer and was left behind"
    figures = json.loads(report.read_text())
    assert figures["silent"] == ["the output virtual-camera"] and figures["faults"] == {"sink virtual-camera": 1}


class Mute:
    """A camera that has been opened and gives nothing."""

    lost = 0

    def __init__(self, clock: Clock) -> None:
        self.answers = Answers("camera 0 (mute)", "the face idles until it does", clock)
        self.answers.begin()
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        self._closed.wait()
        yield from ()

    def close(self) -> None:
        self._closed.set()


class Late(BuiltinEngine):
    """Has not prepared the photo before a condition is fulfilled."""

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready

    def prepare(self, portrait: Portrait) -> BuiltinAvatar:
        wait_until(self._ready)
        return super().prepare(portrait)


def test_a_camera_that_answers_no_more_is_told_while_the_photo_is_prepared(portrait_png, caplog):
    clock = MonotonicClock()
    camera = Mute(clock)
    config = Run(portrait=portrait_png, mode="video", camera="0", output=("preview",), size="128")
    late = Probe(camera=camera, engine=Late(lambda: camera.answers.silent))
    session = Session(make_plan(config, []), clock, lambda _: None, probe=late)
    session.close()
    assert "camera 0 (mute) does not answer: the face idles until it does" in caplog.messages
