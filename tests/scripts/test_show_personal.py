"""The script that shows what a small network learns of a person, on footage of nobody."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import show_personal
from PIL import Image

from models.errors import AgentError
from models.talk3d.personal.footage import written_footage
from tests.models.talk3d.personal import tiny

FRAMES = 11
SCHEDULE = replace(
    tiny.SCHEDULE, frames=1, inversion_steps=1, tuning_steps=1, first_frame_steps=1, delta_steps=1, drawing_steps=1,
    samples=4,
)  # fmt: skip


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None) -> Callable[[], int]:
    """The script, at the least size there is."""
    monkeypatch.setattr(show_personal, "SIZE", tiny.SIZE)
    monkeypatch.setattr(show_personal, "WIDTHS", tiny.WIDTHS)
    monkeypatch.setattr(show_personal, "SCHEDULE", SCHEDULE)
    monkeypatch.setattr("sys.argv", ["show_personal.py", "clip.mp4", str(tmp_path / "out")])
    return show_personal.main


def test_a_sheet_shows_what_was_learnt_beside_the_clip(
    command: Callable[[], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    footage, side = tiny.footage(FRAMES), tiny.SIZE.picture
    with written_footage(tmp_path / "out", FRAMES, side) as written:
        for field in fields(footage):
            getattr(written, field.name)[:] = getattr(footage, field.name)
    assert command() == 0
    with Image.open(tmp_path / "out" / "sheet.jpg") as sheet:
        assert sheet.size == (8 * side, 2 * side)
    assert "PSNR of the frames" in capsys.readouterr().out


def test_no_room_costs_one_line(
    command: Callable[[], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*given: object) -> None:
        raise AgentError("no room")

    monkeypatch.setattr(show_personal, "filmed", full)
    assert command() == 1
    assert capsys.readouterr().err == "error: no room\n"


def test_a_file_in_the_folder_s_place_costs_one_line(
    command: Callable[[], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_bytes(b"")
    assert command() == 2
    error = capsys.readouterr().err
    assert "cannot be made a folder" in error and error.count("\n") == 1
