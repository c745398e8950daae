"""Command lines and files that are of no use: one line that names the cause and where help is, exit code 2."""

import os
import re
import socket
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy.io import wavfile

from agent.cli import main
from runtime.sinks.video_file import VideoFile
from tests.agent.clips import decode
from tests.agent.command import SMALL


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("run --portrait x.png --mode vidio", "invalid choice 'vidio' for argument '--mode'"),
        ("run --portrait x.png --fps abc", "--fps"),
        ("run --portrat x.png", "agent run has no option --portrat: --portrait?"),
        ("run --portrait x.png --mouth_amplitud=1", "agent run has no option --mouth-amplitud: --mouth-amplitude?"),
        ("run --portrait x.png --zzz 1", "agent run has no option --zzz; agent run --help"),
        ("models import --chekpoint x", "agent models import has no option --chekpoint: --checkpoint?"),
        ("run --portrait x.png extra", "Unrecognized options: extra"),
        ("run", "agent run needs --portrait PATH; agent run --help explains all settings"),
        ("eval", "agent eval needs --clip [PATH [PATH ...]]; agent eval --help explains all settings"),
        ("models import", "agent models import needs real3d or goha or talk3d; agent models import --help"),
        ("models import builtin", "invalid choice 'builtin' for argument 'engine'"),
        ("call --nope", "agent call has no option --nope"),
        ("rnu", "there is no command rnu: run?"),
        ("models imprt", "imprt"),
    ],
)
def test_a_command_line_that_cannot_be_understood_costs_one_line(line, cause, capsys):
    assert main(line.split()) == 2
    told = capsys.readouterr()
    assert not told.out
    (only,) = told.err.splitlines()
    assert only.startswith("agent: ") and cause in only and "--help" in only


def test_help_is_no_error(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "--help"])
    assert not stop.value.code
    assert "--portrait" in capsys.readouterr().out


def test_help_of_a_command_is_that_of_the_command_whatever_is_given_with_it(capsys):
    for given in ("models import --help", "models import real3d --help", "models import real3d --checkpoint x -h"):
        with pytest.raises(SystemExit):
            main(given.split())
        usage = capsys.readouterr().out.splitlines()[0]
        assert usage == "usage: agent models import [-h] [IMPORT OPTIONS] {real3d,goha,talk3d}"
    with pytest.raises(SystemExit):
        main(["call", "--help"])
    assert capsys.readouterr().out.startswith("usage: agent call [-h] [CALL OPTIONS] [LINK]\n")


@pytest.mark.parametrize("link", ["http://127.0.0.1:8785/", "127.0.0.1:8785/#token=abc", "token"])
def test_a_link_that_is_none_is_said_before_anything_is_opened(link, portrait_png, monkeypatch, capsys):
    monkeypatch.setattr("agent.call.plans.make_plan", lambda *_: pytest.fail("something was looked at"))
    assert main(["call", link, "--portrait", str(portrait_png)]) == 2
    told = capsys.readouterr().err.strip()
    assert told == f"agent: {link} is no link of an agent: give the whole of what it printed, http://...#token=..."


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
        "": "is a folder; give a picture file",
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


def test_an_address_is_no_portrait(wav, tmp_path, capsys):
    arguments = ["--portrait", "http://example.org/me.png", "--microphone", wav, "--output", tmp_path / "o.mp4"]
    said = "--portrait http://example.org/me.png is an address; download it first, and give the file"
    expect_refusal(tmp_path, arguments, said, capsys)


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
        (["--mode", "video", "--camera=-1"], "--camera -1: cameras count from 0; agent devices lists them"),
        (["--mode", "video", "--camera", "rtsp://a/b"], "--camera rtsp://a/b is an address; download it first"),
        (["--background", "https://a/b.png"], "--background https://a/b.png is an address; download it first"),
        (["--mode", "video", "--camera", wav], "no pictures"),
        (
            ["--mode", "video", "--camera", portrait_png],
            "--camera .*portrait.png is a single picture, in which nobody moves: give a video",
        ),
        (["--mode", "video", "--camera", nodding, "--background", "nope.png"], "neither"),
        (["--microphone", wav, "--size", "127"], "even"),
        (["--microphone", wav, "--fps", "0"], "1 to 120"),
        (["--microphone", wav, "--realtime", "--offline"], "exclude"),
        (["--microphone", wav, "--seed", "-1"], "0 or more"),
        (["--microphone", wav, "--metrics-port", "70000"], "--metrics-port 70000: give 0 to 65535"),
        (["--microphone", wav, "--metrics-port", "9100"], "--metrics-port has no use in an offline run"),
        (["--microphone", wav, "--webrtc-port", "70000"], "--webrtc-port 70000: give 0 to 65535"),
        (["--microphone", wav, "--webrtc-viewers", "0"], "--webrtc-viewers 0: give 1 to 64"),
        (["--microphone", wav, "--output", "whip:nowhere"], "--output whip:nowhere: give whip: and the server's URL"),
        (["--microphone", wav, "--output", "webrtc", "--webrtc-host", "there"], "there is no address of this machine"),
        (["--microphone", wav, "--output", "webrtc", "--ice-server", "x:y"], "x:y is no STUN or TURN server"),
        (["--microphone", wav, "--output", "webrtc", "--relay-only"], "give --ice-server turn:HOST:PORT"),
        (["--microphone", wav, "--temperature", "1.6"], "--temperature 1.6: give 0 to 1.5"),
        (["--microphone", wav, "--temperature", "-0.1"], "--temperature -0.1: give 0 to 1.5"),
        (["--microphone", wav, "--temperature", "nan"], "--temperature nan: give 0 to 1.5"),
        (["--microphone", wav, "--camera", nodding], "no use"),
        (["--microphone", wav, "--mouth", "driver"], "--mouth driver has no use in --mode audio: leave it out"),
        (["--mode", "video", "--camera", nodding, "--engine", "real3d", "--mouth", "driver"], "draws its own mouth"),
        (["--microphone", wav, "--background", "b" * 300], "neither"),
        (["--microphone", wav, "--report", tmp_path], "is a folder"),
        (["--mode", "video", "--camera", "/dev/null"], "/dev/null"),
        (["--microphone", wav, "--report", tmp_path / "no" / "r.json"], "does not exist"),
        (["--microphone", wav, "--report", "r" * 300], "file name too long"),
        (["--microphone", wav, "--report", "/proc/r.json"], "the folder /proc cannot be written to; choose another"),
        (["--microphone", "m" * 300], "file name too long"),
        (["--microphone", "m" * 300 + ".wav"], "file name too long"),
        (["--mode", "video", "--camera", "c" * 300], "file name too long"),
    ]:
        expect_refusal(tmp_path, [*ready, *arguments], message, capsys)


def test_bad_outputs(portrait_png, wav, tmp_path, capsys):
    ready = ["--portrait", portrait_png, "--microphone", wav, "--output"]
    (tmp_path / "folder.mp4").mkdir()
    for output, message in [
        (tmp_path / "o.avi", r"\.mp4"),
        ("nonsense", r"\.mp4"),
        ("", r"--output is empty: give virtual-camera, .*\.mp4"),
        (tmp_path / "missing" / "o.mp4", "does not exist"),
        (tmp_path / "folder.mp4", "folder"),
        ("/proc/o.mp4", "the folder /proc cannot be written to; choose another"),
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


def test_an_output_that_another_agent_writes_is_refused(portrait_png, wav, tmp_path, capsys):
    out = tmp_path / "o.mp4"
    other = VideoFile(out, 25, (128, 128), live=False, sound=False)
    arguments = ["--portrait", portrait_png, "--microphone", wav, "--output", out, *SMALL]
    expect_refusal(tmp_path, arguments, "o.mp4 is being written by another agent", capsys)
    other.close()
    assert main(["run", *map(str, arguments)]) == 0


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


def test_what_nobody_thought_of_costs_one_line_too(capsys, monkeypatch):
    def broken() -> str:
        raise RuntimeError("cannot allocate memory\n  frame #0: here\n")

    monkeypatch.setattr("agent.devices.describe_devices", broken)
    monkeypatch.delenv("AGENT_TRACEBACK", raising=False)
    assert main(["devices"]) == 1
    told = "agent: failed: RuntimeError: cannot allocate memory frame #0: here (AGENT_TRACEBACK=1 shows where)"
    assert capsys.readouterr().err.splitlines() == [told]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--listen --relay-only", "--relay-only has no server to go through: give --ice-server turn:HOST:PORT"),
        ("--listen --port 99999", "--port 99999: give 0 to 65535"),
        ("--listen --host 192.0.2.7", "192.0.2.7 is no address of this machine: give one that it has"),
        ("--listen --port TAKEN", "The port TAKEN is taken or not allowed: choose another, or 0 for any"),
        ("--listen --guard video", "--guard has no use in --mode audio: leave it out, or give --mode video or both"),
        ("--listen --name " + 41 * "x", "--name has 41 characters: give 40 or fewer"),
        ("LINK --port 8785", "--port has no use with a link: leave it out, or give --listen"),
        ("LINK --host 0.0.0.0", "--host has no use with a link: leave it out, or give --listen"),
        (
            "--listen --public-url http://a",
            "--public-url http://a: give what the proxy is reached by, as in https://avatar.example.org",
        ),
    ],
)
def test_what_is_wrong_with_a_call_is_said_before_the_portrait_is_looked_at(
    arguments, message, portrait_png, monkeypatch, capsys
):
    monkeypatch.setattr("agent.call.plans.make_plan", lambda *_: pytest.fail("something was looked at"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = arguments.replace("TAKEN", port).replace("LINK", "http://127.0.0.1:8785/#token=abc").split()
        assert main(["call", *given, "--portrait", str(portrait_png)]) == 2
    assert capsys.readouterr().err.strip().rstrip(".") == f"agent: {message.replace('TAKEN', port)}"
