"""`agent run` and `agent demo` from files to files, as a person types them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy.io import wavfile

from agent.cli import _interruptible, main
from calibration.photo import read_photo
from runtime.sinks.video_file import VideoFile

SMALL = ("--size", "128")


def speech(seconds, rate, channels=1, dtype=np.int16):
    """A voice-like sound: a pulse train through two formants, in syllables."""
    t = np.arange(round(seconds * rate)) / rate
    pulses = np.sign(np.sin(2 * np.pi * 120 * t)) * (1 + np.sin(2 * np.pi * 700 * t)) * (1 + np.sin(2 * np.pi * 4 * t))
    wave = 0.2 * np.tile(pulses[:, None], (1, channels))
    return (wave * 32767).astype(dtype) if np.issubdtype(dtype, np.integer) else wave.astype(dtype)


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "speech.wav"
    wavfile.write(path, 16_000, speech(1.0, 16_000))
    return path


def make_clip(path, images, fps, samples=None):
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=Fraction(fps))
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "yuv420p"
        sound = None if samples is None else container.add_stream("aac", rate=48_000)
        for image in images:
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode())
        if sound is not None:
            for start in range(0, len(samples), 1024):
                block = np.ascontiguousarray(samples[start : start + 1024].T)
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
                container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return path


@pytest.fixture(scope="module")
def nodding(portrait_png, tmp_path_factory):
    """A second of the bundled portrait swaying to and fro, at 30 frames a second, with sound."""
    photo = read_photo(portrait_png)[:300, 80:380]
    images = [np.roll(photo, round(20 * np.sin(i / 30 * 2 * np.pi)), axis=1) for i in range(30)]
    return make_clip(
        tmp_path_factory.mktemp("clip") / "nodding.mp4", images, 30, samples=speech(1.0, 48_000, dtype=np.float32)
    )


def decode(path):
    with av.open(str(path)) as container:
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    with av.open(str(path)) as container:
        sound = list(container.decode(audio=0)) if container.streams.audio else []
    return pictures, sum(f.samples for f in sound) / 48_000


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
    assert set(figures["latency_ms"]) == {"p50", "p95", "p99"}


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
    differs = np.abs(shown["driver"] - shown["painted"]).mean(axis=(0, 3)) > 8  # more than what coding differs by
    rows, columns = np.nonzero(differs)
    assert rows.size and np.ptp(rows) < 40 and np.ptp(columns) < 60, "the mouth and nothing else"


def test_both_takes_the_voice_from_the_clip(portrait_png, nodding, tmp_path):
    out = tmp_path / "both.mkv"
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "both", "--camera", str(nodding)]
    assert main([*arguments, *SMALL, "--output", str(out), "--fps", "30"]) == 0
    assert len(decode(out)[0]) == 30


def test_realtime_holds_the_clips_time(portrait_png, nodding, tmp_path):
    out, report = tmp_path / "live.mp4", tmp_path / "r.json"
    arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(nodding), "--realtime"]
    assert main([*arguments, *SMALL, "--output", str(out), "--report", str(report)]) == 0
    figures = json.loads(report.read_text())
    assert figures["realtime"] and figures["frames"] + figures["dropped"] in range(24, 30)
    assert 0 < figures["latency_ms"]["p50"] < 1000
    assert figures["lost"].keys() == {"video", "soundtrack", "sound out"}
    with av.open(str(out)) as container:
        assert float(container.duration / av.time_base) == pytest.approx(1.0, abs=0.25)


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


def test_sound_and_motion_stay_together(portrait_png, tmp_path):
    """A head that jumps with a click: both are found again in the output, at the same instant."""
    photo = read_photo(portrait_png)[:300, 80:380]
    images = [photo if i < 30 else np.roll(photo, 30, axis=1) for i in range(60)]
    click = np.zeros((96_000, 1), np.float32)
    click[48_000:48_960] = 0.8
    clip = make_clip(tmp_path / "jump.mkv", images, 30, samples=click)
    for pace, tolerance in (("--offline", 0.05), ("--realtime", 0.09)):
        out = tmp_path / f"out{pace}.mp4"
        arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(clip), pace]
        assert main([*arguments, *SMALL, "--output", str(out)]) == 0
        with av.open(str(out)) as container:
            shown = [(float(f.time), f.to_ndarray(format="rgb24").astype(int)) for f in container.decode(video=0)]
        change = [np.abs(b[1] - a[1]).mean() for a, b in pairwise(shown)]
        jump_s = shown[int(np.argmax(change)) + 1][0]
        with av.open(str(out)) as container:
            heard = [(float(f.time), np.abs(f.to_ndarray()).max()) for f in container.decode(audio=0)]
        click_s = next(time_s for time_s, loudness in heard if loudness > 0.2)
        assert abs(jump_s - click_s) < tolerance, pace


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
    assert "Traceback" not in errors and f"wrote {out}" in errors
    assert len(decode(out)[0]) > 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.wav", "o.mp4"]


def test_a_signal_while_preparing_leaves_nothing(portrait_png, wav, tmp_path):
    out = tmp_path / "o.mp4"
    with agent_process(
        "run", "--portrait", str(portrait_png), "--microphone", str(wav), "--output", str(out)
    ) as process:
        wait_until(lambda: list(tmp_path.glob(".o*")))
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=30)[1]
    assert (process.returncode, errors.strip()) in [(130, "agent: interrupted"), (0, f"wrote {out}")]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


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


def test_an_output_that_another_agent_writes_is_refused(portrait_png, wav, tmp_path, capsys):
    out = tmp_path / "o.mp4"
    other = VideoFile(out, 25, (128, 128), live=False, sound=False)
    arguments = ["--portrait", portrait_png, "--microphone", wav, "--output", out, *SMALL]
    expect_refusal(tmp_path, arguments, "o.mp4 is being written by another agent", capsys)
    other.close()
    assert main(["run", *map(str, arguments)]) == 0


def test_the_second_run_with_a_photo_makes_the_same_bytes(portrait_png, wav, tmp_path, monkeypatch):
    monkeypatch.setenv("AGENT_CACHE", str(tmp_path / "cache"))
    for name in ("a.mp4", "b.mp4"):
        arguments = ["--microphone", str(wav), "--output", str(tmp_path / name), *SMALL, "--background", "blur"]
        assert main(["run", "--portrait", str(portrait_png), *arguments]) == 0
        monkeypatch.setattr("calibration.store.prepare_portrait", None)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert len(list((tmp_path / "cache").rglob("*.prepared"))) == 1


@contextmanager
def agent_process(*arguments):
    code = "import sys; from agent.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.02)


def expect_refusal(tmp_path, arguments, message, capsys):
    """Runs `agent run`, wants exit code 2, one line, and nothing left behind."""
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    assert main(["run", *map(str, arguments)]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and re.search(message, lines[0]), lines
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


def test_bad_portraits(portrait_png, wav, tmp_path, capsys):
    whole = tmp_path / "whole.jpg"
    Image.open(portrait_png).convert("RGB").save(whole)
    (tmp_path / "cut.jpg").write_bytes(whole.read_bytes()[:9000])
    (tmp_path / "text.png").write_text("hello")
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    Image.fromarray(skimage.data.chelsea()).save(tmp_path / "cat.jpg")
    for name, message in {
        "none.png": "no such file",
        "p" * 300: "file name too long",
        "text.png": "not a picture",
        "cut.jpg": "damaged",
        "bomb.png": "30000x30000|too many pixels",
        "cat.jpg": "no human face",
    }.items():
        expect_refusal(
            tmp_path,
            ["--portrait", tmp_path / name, "--microphone", wav, "--output", tmp_path / "o.mp4"],
            message,
            capsys,
        )


def test_bad_inputs(portrait_png, wav, nodding, tmp_path, capsys):
    wavfile.write(tmp_path / "none.wav", 16_000, np.zeros(0, np.int16))
    (tmp_path / "text.wav").write_text("hello")
    ready = ["--portrait", portrait_png, "--output", tmp_path / "o.mp4"]
    for arguments, message in [
        (["--microphone", tmp_path / "none.wav"], "none.wav"),
        (["--microphone", tmp_path / "text.wav"], "text.wav"),
        (["--microphone", tmp_path / "gone.wav"], "no such file"),
        (["--microphone", "No Such Microphone"], "No Such Microphone|PortAudio"),
        (["--mode", "video", "--camera", "No Such Camera"], "No Such Camera"),
        (["--mode", "video", "--camera", "99"], "99"),
        (["--mode", "video", "--camera", wav], "no pictures"),
        (["--mode", "video", "--camera", nodding, "--background", "nope.png"], "neither"),
        (["--microphone", wav, "--size", "127"], "even"),
        (["--microphone", wav, "--fps", "0"], "1 to 120"),
        (["--microphone", wav, "--realtime", "--offline"], "exclude"),
        (["--microphone", wav, "--seed", "-1"], "0 or more"),
        (["--microphone", wav, "--camera", nodding], "no use"),
        (["--microphone", wav, "--mouth", "driver"], "--mouth driver has no use in --mode audio: leave it out"),
        (["--microphone", wav, "--background", "b" * 300], "neither"),
        (["--microphone", wav, "--report", tmp_path], "is a folder"),
        (["--mode", "video", "--camera", "/dev/null"], "/dev/null"),
        (["--microphone", wav, "--report", tmp_path / "no" / "r.json"], "does not exist"),
        (["--microphone", wav, "--report", "r" * 300], "file name too long"),
        (["--microphone", "m" * 300], "file name too long"),
        (["--microphone", "m" * 300 + ".wav"], "file name too long"),
        (["--mode", "video", "--camera", "c" * 300], "file name too long"),
    ]:
        expect_refusal(tmp_path, [*ready, *arguments], message, capsys)


def test_portraits_with_a_small_face_or_two_of_them(portrait_png, wav, tmp_path, capsys):
    head = Image.open(portrait_png).convert("RGB").crop((100, 0, 360, 260))
    for name, sides in {"tiny.png": (120,), "pair.png": (260, 170)}.items():
        photo = Image.new("RGB", (600, 320), (180, 180, 180))
        for i, side in enumerate(sides):
            photo.paste(head.resize((side, side), Image.Resampling.LANCZOS), (20 + 320 * i, 20))
        photo.save(tmp_path / name)
    ready = ["--microphone", str(wav), *SMALL, "--output", str(tmp_path / "o.mp4")]
    expect_refusal(tmp_path, ["--portrait", tmp_path / "tiny.png", *ready], "pixels wide, at least 48", capsys)
    assert main(["run", "--portrait", str(tmp_path / "pair.png"), *ready]) == 0
    assert "pair.png shows 2 faces; the largest one is used" in capsys.readouterr().err


def test_devices_names_every_kind(capsys):
    assert main(["devices"]) == 0
    out = capsys.readouterr().out
    assert [title in out for title in ("Cameras", "Microphones", "Virtual cameras")] == [True] * 3


def test_bad_outputs(portrait_png, wav, tmp_path, capsys):
    ready = ["--portrait", portrait_png, "--microphone", wav, "--output"]
    (tmp_path / "folder.mp4").mkdir()
    for output, message in [
        (tmp_path / "o.avi", r"\.mp4"),
        ("nonsense", r"\.mp4"),
        (tmp_path / "missing" / "o.mp4", "does not exist"),
        (tmp_path / "folder.mp4", "folder"),
        ("/proc/o.mp4", "cannot be written|proc"),
        (tmp_path / f"{'o' * 300}.mp4", "file name too long"),
        (tmp_path / f"{'o' * 245}.mp4", "File name too long"),
    ]:
        expect_refusal(tmp_path, [*ready, output], message, capsys)
    expect_refusal(tmp_path, [*ready, "preview", "--offline"], "--offline needs files", capsys)
    for output in ("preview", "virtual-camera", "virtual-microphone", tmp_path / "o.mp4", tmp_path / "o.mkv"):
        expect_refusal(
            tmp_path,
            ["--portrait", portrait_png, "--microphone", wav, "--background", "transparent", "--output", output],
            r"cannot be transparent; give --output a file ending in \.mov or \.webm",
            capsys,
        )
    expect_refusal(tmp_path, [*ready, "virtual-microphone:Me"], "goes with a picture: give --output", capsys)
    twice = tmp_path / "twice.mp4"
    expect_refusal(tmp_path, [*ready, twice, "--output", twice], "given twice", capsys)
    copy = tmp_path / "clip.mkv"
    copy.write_bytes(wav.read_bytes())
    same = ["--portrait", portrait_png, "--microphone", copy, "--output", copy]
    expect_refusal(tmp_path, same, "is an input", capsys)


def test_an_output_that_was_there_survives_a_bad_run(portrait_png, wav, tmp_path, capsys):
    out = tmp_path / "old.mp4"
    out.write_bytes(b"an older video")
    expect_refusal(
        tmp_path, ["--portrait", portrait_png, "--microphone", tmp_path / "x.wav", "--output", out], "no such", capsys
    )
    assert out.read_bytes() == b"an older video"


def test_a_report_that_is_write_protected_is_refused_at_the_start(portrait_png, wav, tmp_path, capsys, monkeypatch):
    report = tmp_path / "r.json"
    report.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != report)  # root may write anywhere
    arguments = ["--portrait", portrait_png, "--microphone", wav, "--report", report, "--output", tmp_path / "o.mp4"]
    expect_refusal(tmp_path, arguments, "r.json cannot be written to; choose another name", capsys)


def test_a_report_that_cannot_be_written_is_said_in_one_line(portrait_png, wav, tmp_path, capsys):
    arguments = ["run", "--portrait", str(portrait_png), "--microphone", str(wav), *SMALL]
    assert main([*arguments, "--output", str(tmp_path / "o.mp4"), "--report", "/dev/full"]) == 1
    assert capsys.readouterr().err.strip().endswith("--report /dev/full cannot be written: No space left on device")
    assert len(decode(tmp_path / "o.mp4")[0]) == 25


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
        with _interruptible():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
