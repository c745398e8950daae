"""`agent run --output virtual-microphone` against a real PulseAudio server."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from agent.cli import main
from agent.config.run import Run
from agent.plan import make_plan
from runtime.sinks.pulse_modules import pactl
from tests.sound_server import SoundServer

RATE_HZ = 16_000


def noise(folder: Path, seconds: float) -> Path:
    path = folder / "noise.wav"
    samples = np.random.default_rng(0).normal(0, 3000, round(seconds * RATE_HZ))
    wavfile.write(path, RATE_HZ, samples.astype(np.int16))
    return path


def arguments(portrait: Path, sound: Path, folder: Path) -> list[str]:
    outputs = ["--output", str(folder / "out.mp4"), "--output", "virtual-microphone"]
    inputs = ["--portrait", str(portrait), "--microphone", str(sound), "--size", "128"]
    return ["run", *inputs, *outputs, "--report", str(folder / "report.json")]


@pytest.mark.alone
def test_a_run_reports_by_how_much_lips_and_voice_are_apart_and_removes_the_microphone(
    server: SoundServer, portrait_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pactl("list", "short", "modules")
    assert main(arguments(portrait_png, noise(tmp_path, 5.0), tmp_path)) == 0
    assert "virtual-microphone:Avatar microphone: on" in capsys.readouterr().err
    figures = json.loads((tmp_path / "report.json").read_text())
    assert abs(figures["audio_video_offset_ms"]) < 400
    assert figures["lost"].keys() == {"audio", "sound out", "virtual-microphone:Avatar microphone"}
    assert "audio/video offset" not in figures["stages"]
    assert pactl("list", "short", "modules") == before


def test_the_microphone_is_removed_when_a_run_cannot_begin(
    server: SoundServer, portrait_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pactl("list", "short", "modules")
    torn = tmp_path / "torn.png"
    torn.write_bytes(portrait_png.read_bytes()[:5000])
    assert main(arguments(torn, noise(tmp_path, 1.0), tmp_path)) == 2
    assert pactl("list", "short", "modules") == before


def test_without_a_sound_server_a_run_is_refused_in_one_line(
    server: SoundServer, portrait_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.kill()
    assert main(arguments(portrait_png, noise(tmp_path, 1.0), tmp_path)) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("agent: a virtual microphone needs PulseAudio or PipeWire, and none answers")


def test_a_camera_run_listens_where_it_has_a_virtual_microphone(portrait_png: Path) -> None:
    outputs = ("preview", "virtual-microphone:Me")
    assert make_plan(Run(portrait_png, mode="video", output=outputs), []).microphone == ""
    assert make_plan(Run(portrait_png, mode="video", output=outputs[:1]), []).microphone is None
