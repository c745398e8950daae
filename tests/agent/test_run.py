"""`agent run` and `agent demo` from files to files, as a person types them."""

import json
import time
from itertools import pairwise
from urllib.request import urlopen

import av
import cv2
import numpy as np
import pytest
from scipy.io import wavfile

from agent import terminal
from agent.cli import main
from calibration.photo import read_photo
from runtime.engines.builtin import BuiltinEngine
from tests.agent.clips import decode, make_clip, speech
from tests.agent.command import SMALL, agent_process


def test_a_voice_becomes_a_video_with_sound(portrait_png, wav, tmp_path):
    out, report = tmp_path / "talk.mp4", tmp_path / "r.json"
    arguments = ["run", "--portrait", str(portrait_png), "--microphone", str(wav), "--output", str(out)]
    assert main([*arguments, *SMALL, "--report", str(report)]) == 0
    pictures, seconds = decode(out)
    assert len(pictures) == 25 and pictures[0].shape == (128, 128, 3)
    assert seconds == pytest.approx(1.0, abs=0.03)
    figures = json.loads(report.read_text())
    assert {"engine", "backend", "frames", "dropped", "fps_rendered", "stages", "latency_ms"} < set(figures)
    assert (figures["engine"], figures["frames"], figures["dropped"]) == ("builtin", 25, 0)
    assert figures["audio_video_offset_ms"] == 0
    assert set(figures["stages"]["render"]) >= {"p50_ms", "p95_ms"}
    assert (figures["latency_ms"], figures["paths"], figures["quality"]) == (None, {}, None), (
        "nothing of it is measured"
    )


def test_temperature_says_it_otherwise(portrait_png, speech_wav, tmp_path):
    rate_hz, samples = wavfile.read(speech_wav)
    wavfile.write(tmp_path / "said.wav", rate_hz, samples[rate_hz : 2 * rate_hz])
    made = []
    for k, temperature in enumerate(((), ("--temperature", "0"), ("--temperature", "1"))):
        files = ["--microphone", str(tmp_path / "said.wav"), "--output", str(tmp_path / f"{k}.mp4")]
        assert main(["run", "--portrait", str(portrait_png), *files, *SMALL, *temperature]) == 0
        made.append((tmp_path / f"{k}.mp4").read_bytes())
    assert made[0] == made[1] != made[2]


def test_offline_runs_are_bit_equal(portrait_png, nodding, tmp_path):
    files = []
    for name in ("a.mp4", "b.mp4"):
        out = tmp_path / name
        arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(nodding)]
        assert main([*arguments, *SMALL, "--output", str(out)]) == 0
        files.append(out.read_bytes())
    assert files[0] == files[1]
    pictures, seconds = decode(tmp_path / "a.mp4")
    assert len(pictures) == 25, "one second at the default rate, whatever the clip's"
    assert seconds == pytest.approx(1.0, abs=0.03), "the clip's sound comes along"
    moved = np.abs(pictures[7].astype(int) - pictures[0]).mean()
    assert moved > 1.0, "the head sways as the driver does"


def test_the_drivers_own_mouth_is_shown_when_asked_and_announced(portrait_png, tmp_path, capsys):
    near = cv2.resize(read_photo(portrait_png)[:300, 80:380], (600, 600), interpolation=cv2.INTER_CUBIC)
    images = [np.roll(near, round(20 * np.sin(i / 30 * 2 * np.pi)), axis=1) for i in range(30)]
    clip = make_clip(tmp_path / "near.mp4", images, 30)
    shown = {}
    for mouth in ("painted", "driver"):
        out = tmp_path / f"{mouth}.mp4"
        arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(clip)]
        assert main([*arguments, "--size", "256", "--mouth", mouth, "--output", str(out)]) == 0
        assert ("the pixels between the lips leave" in capsys.readouterr().err) == (mouth == "driver")
        shown[mouth] = np.stack(decode(out)[0]).astype(int)
    differs = np.abs(shown["driver"] - shown["painted"]).mean(axis=(0, 3)) > 12  # coding differs by up to 8
    rows, columns = np.nonzero(differs)
    assert rows.size and np.ptp(rows) < 40 and np.ptp(columns) < 60, "the mouth and nothing else"


def test_both_takes_the_voice_from_the_clip(portrait_png, nodding, tmp_path):
    out = tmp_path / "both.mkv"
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "both", "--camera", str(nodding)]
    assert main([*arguments, *SMALL, "--output", str(out), "--fps", "30"]) == 0
    assert len(decode(out)[0]) == 30


def test_files_of_two_lengths_end_with_the_shorter_one_which_is_said(portrait_png, nodding, wav, tmp_path, capsys):
    longer = tmp_path / "longer.wav"
    wavfile.write(longer, 16_000, speech(1.5, 16_000))
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "both", "--camera", str(nodding), *SMALL]
    for sound, said in (
        (longer, f"the run ends with --camera {nodding} after 1.0 s; --microphone {longer} lasts 1.5 s and is cut"),
        (wav, ""),
    ):
        assert main([*arguments, "--microphone", str(sound), "--output", str(tmp_path / "o.mp4")]) == 0
        assert capsys.readouterr().err.splitlines()[:-1] == ([said] if said else [])
        assert len(decode(tmp_path / "o.mp4")[0]) == 25


@pytest.fixture
def slow_levels(monkeypatch):
    """The levels of what is drawn, on a machine that takes 60 ms and more for a picture."""
    draw, levels = BuiltinEngine.render, set()

    def slow(self, avatar, motion, level=0):
        levels.add(level)
        time.sleep(0.06)
        return draw(self, avatar, motion, level)

    monkeypatch.setattr(BuiltinEngine, "render", slow)
    return levels


@pytest.mark.alone
@pytest.mark.parametrize(("how", "rungs", "least"), [((), 5, 1), (("--quality", "best"), 1, 0)])
def test_a_slow_machine_costs_quality_unless_the_best_is_asked_for(
    portrait_png, nodding, tmp_path, slow_levels, how, rungs, least
):
    report = tmp_path / "r.json"
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(nodding), *SMALL]
    assert main([*arguments, "--realtime", *how, "--output", str(tmp_path / "a.mp4"), "--report", str(report)]) == 0
    quality = json.loads(report.read_text())["quality"]
    assert len(quality["seconds"]) == rungs
    assert quality["rung"] >= least and quality["changes"] >= least
    assert (max(slow_levels) > 0) == (least > 0)
    assert quality["late"] > 0


def test_a_slow_machine_costs_an_offline_run_no_quality(portrait_png, nodding, tmp_path, slow_levels):
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(nodding), *SMALL]
    assert main([*arguments, "--offline", "--output", str(tmp_path / "a.mp4")]) == 0
    assert slow_levels == {0}


@pytest.mark.alone
def test_realtime_holds_the_clips_time(portrait_png, nodding, tmp_path):
    out, report = tmp_path / "live.mp4", tmp_path / "r.json"
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(nodding), "--realtime"]
    assert main([*arguments, *SMALL, "--output", str(out), "--report", str(report)]) == 0
    figures = json.loads(report.read_text())
    assert figures["realtime"] and figures["frames"] + figures["dropped"] in range(24, 50)
    assert set(figures["latency_ms"]) == {"p50", "p95", "p99"}
    assert 0 < figures["latency_ms"]["p50"] < 1000
    assert figures["lost"].keys() == {"video", "soundtrack", "sound out"}
    with av.open(str(out)) as container:  # a busy machine drops pictures, at the ends too; those shown keep their time
        assert figures["frames"] / 25 - 0.05 < float(container.duration / av.time_base) < 1.25


def test_several_outputs_and_no_sound_of_a_silent_clip(portrait_png, tmp_path):
    silent = make_clip(tmp_path / "silent.mp4", [read_photo(portrait_png)[:256, 80:336]] * 5, 25)
    outs = [tmp_path / "one.mp4", tmp_path / "two.webm"]
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(silent), *SMALL]
    arguments += ["--report", str(tmp_path / "r.json")]
    assert main([*arguments, "--output", str(outs[0]), "--output", str(outs[1])]) == 0
    assert {f"sink {out}" for out in outs} < set(json.loads((tmp_path / "r.json").read_text())["stages"])
    for out in outs:
        pictures, seconds = decode(out)
        assert len(pictures) == 5 and seconds == 0


def test_a_video_without_a_face_idles_with_a_warning(portrait_png, tmp_path, capsys):
    wall = make_clip(tmp_path / "wall.mp4", [np.full((96, 96, 3), 90, np.uint8)] * 75, 25)
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(wall)]
    assert main([*arguments, *SMALL, "--output", str(tmp_path / "o.mp4")]) == 0
    assert "no face seen" in capsys.readouterr().err
    assert len(decode(tmp_path / "o.mp4")[0]) == 75


@pytest.mark.parametrize(
    ("rate", "channels", "dtype"),
    [
        (8_000, 1, np.int16),
        (96_000, 2, np.int32),
        (44_100, 6, np.int16),
        (22_050, 1, np.float64),
        (16_000, 1, np.uint8),
    ],
)
def test_any_wav_is_heard(portrait_png, tmp_path, rate, channels, dtype):
    path, out = tmp_path / "in.wav", tmp_path / "o.mp4"
    sound = speech(0.6, rate, channels, np.int16 if dtype == np.uint8 else dtype)
    wavfile.write(path, rate, ((sound >> 8) + 128).astype(np.uint8) if dtype == np.uint8 else sound)
    arguments = ["run", "--portrait", str(portrait_png), "--microphone", str(path), "--output", str(out)]
    assert main([*arguments, *SMALL]) == 0
    pictures, seconds = decode(out)
    assert len(pictures) == 15 and seconds == pytest.approx(0.6, abs=0.03)


def test_demo_speaks(tmp_path, capsys):
    out = tmp_path / "new" / "demo.mp4"
    assert main(["demo", "--output", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    pictures, seconds = decode(out)
    assert len(pictures) / 25 >= 5 and seconds == pytest.approx(len(pictures) / 25, abs=0.05)
    assert pictures[0].shape == (512, 512, 3)
    mouths = np.stack([p[120:145, 210:245] for p in pictures]).astype(float)
    assert np.abs(np.diff(mouths, axis=0)).mean() > 0.3, "the mouth moves"


@pytest.mark.alone
def test_sound_and_motion_stay_together(portrait_png, tmp_path):
    """A head that jumps with a click: both are found again in the output, at the same instant."""
    photo = read_photo(portrait_png)[:300, 80:380]
    images = [photo if i < 30 else np.roll(photo, 30, axis=1) for i in range(60)]
    click = np.zeros((96_000, 1), np.float32)
    click[48_000:48_960] = 0.8
    clip = make_clip(tmp_path / "jump.mkv", images, 30, samples=click)
    for pace, tolerance in (("--offline", 0.02), ("--realtime", 0.06)):
        out = tmp_path / f"out{pace}.mp4"
        arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(clip), pace]
        assert main([*arguments, *SMALL, "--output", str(out)]) == 0
        with av.open(str(out)) as container:
            shown = [(float(f.time), f.to_ndarray(format="rgb24").astype(int)) for f in container.decode(video=0)]
        change = [np.abs(b[1] - a[1]).mean() for a, b in pairwise(shown)]
        before_s, after_s = (shown[int(np.argmax(change)) + k][0] for k in (0, 1))  # apart where some are dropped
        with av.open(str(out)) as container:
            heard = [(float(f.time), np.abs(f.to_ndarray()).max()) for f in container.decode(audio=0)]
        click_s = next(time_s for time_s, loudness in heard if loudness > 0.2)
        assert before_s - tolerance < click_s < after_s + tolerance, pace


def test_the_second_run_with_a_photo_makes_the_same_bytes(portrait_png, wav, tmp_path, monkeypatch):
    monkeypatch.setenv("AGENT_CACHE", str(tmp_path / "cache"))
    for name in ("a.mp4", "b.mp4"):
        arguments = ["--microphone", str(wav), "--output", str(tmp_path / name), *SMALL, "--background", "blur"]
        assert main(["run", "--portrait", str(portrait_png), *arguments]) == 0
        monkeypatch.setattr("calibration.store.prepare_portrait", None)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert len(list((tmp_path / "cache").rglob("*.prepared"))) == 1


def test_devices_names_every_kind(capsys):
    assert main(["devices"]) == 0
    out = capsys.readouterr().out
    assert [title in out for title in ("Cameras", "Microphones", "Virtual cameras")] == [True] * 3


def test_without_a_terminal_lines_tell_how_far_a_file_is(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "_SAY_EVERY_NS", 0)
    with terminal.progress(3) as advance:
        advance(1)
        advance(2)
    assert capsys.readouterr().err.splitlines() == [f"rendering: {done} of 3" for done in (0, 1, 2)]


def test_a_live_run_serves_its_figures_where_asked(portrait_png, speech_wav, tmp_path):
    files = ["--portrait", str(portrait_png), "--microphone", str(speech_wav), "--output", str(tmp_path / "a.mp4")]
    with agent_process("run", *files, *SMALL, "--realtime", "--metrics-port", "0") as process:
        line = next(line for line in process.stderr if "metrics: " in line)
        with urlopen(line.split()[-1], timeout=20) as answer:
            assert b'agent_run_info{engine="builtin",backend="cpu",mode="audio"} 1\n' in answer.read()
