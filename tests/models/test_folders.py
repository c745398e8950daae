"""Where files of the user's own are kept."""

import sys
from pathlib import Path

import pytest

from models.errors import InputError
from models.folders import data_folder


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ".local/share/portrait-agent"),
        ("darwin", "Library/Application Support/portrait-agent"),
        ("win32", "AppData/Local/portrait-agent"),
    ],
)
def test_each_system_has_a_place_for_data(
    platform: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AGENT_DATA", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    assert data_folder() == tmp_path / expected


def test_the_place_is_the_user_s_to_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("AGENT_DATA", "")
    assert data_folder() == tmp_path / "xdg" / "portrait-agent"
    monkeypatch.setenv("AGENT_DATA", str(tmp_path / "mine"))
    assert data_folder() == tmp_path / "mine"


def test_without_a_home_a_place_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("AGENT_DATA", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(InputError, match="AGENT_DATA"):
        data_folder()
