"""Options of the scripts that are refused in one line, before any work."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import prepare_videos  # noqa: E402
import train_real3d  # noqa: E402


def refused(script, options: tuple[object, ...], monkeypatch, capsys) -> str:
    monkeypatch.setattr(sys, "argv", [script.__name__, *map(str, options)])
    assert script.main() == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--steps", 0), "--steps 0: give 1 or more"),
        (("--rate", 0), "--rate 0.0: give 1e-09 or more"),
        (("--batch", 0), "--batch 0: give 1 or more"),
        (("--processes", 0), "--processes 0: give 1 or more"),
        (("--save-every", 0), "--save-every 0: give 1 or more"),
        (("--side", 32), "--side 32: give 64 or more"),
        (("--device", "cuda"), "--device cuda: torch finds no NVIDIA GPU here"),
        (("--out", __file__), "cannot be made a folder (File exists)"),
    ],
)
def test_a_stage_refuses(options, said, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    given = ("i2p", "--clips", tmp_path, "--out", tmp_path / "out", *options)
    assert said in refused(train_real3d, given, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--count", 0), "--count 0: give 1 or more"),
        (("--pictures", 3), "--pictures 3: give 4 or more"),
        (("--device", "cuda", "--eg3d", "any.pkl"), "torch finds no NVIDIA GPU here"),
    ],
)
def test_a_teacher_refuses(options, said, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    given = ("teach", "--portraits", "me.png", "--out", tmp_path / "out", *options)
    assert said in refused(train_real3d, given, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--processes", 0), "--processes 0: give 1 or more"),
        (("--every", 0), "--every 0: give 1 or more"),
        (("--side", 0), "--side 0: give 64 or more"),
        (("--most", 0), "--most 0: give 8 or more"),
        (("--face-model", "nosuch"), "nosuch"),
    ],
)
def test_preparing_videos_refuses(options, said, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "a.mp4").touch()
    assert said in refused(prepare_videos, (tmp_path, tmp_path / "out", *options), monkeypatch, capsys)
    assert not (tmp_path / "out").exists()


def test_preparing_videos_refuses_a_file_for_a_folder(tmp_path: Path, monkeypatch, capsys) -> None:
    video = tmp_path / "a.mp4"
    video.touch()
    assert "a.mp4 cannot be made a folder" in refused(prepare_videos, (tmp_path, video), monkeypatch, capsys)


def test_an_interrupt_is_one_line(tmp_path: Path, monkeypatch, capsys) -> None:
    def interrupted(options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train_real3d, "train", interrupted)
    monkeypatch.setattr(sys, "argv", ["train_real3d.py", "i2p", "--clips", str(tmp_path), "--out", str(tmp_path)])
    assert train_real3d.main() == 1
    assert capsys.readouterr().err == "stopped: the same command goes on from what is kept\n"
