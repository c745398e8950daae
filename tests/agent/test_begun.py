"""What is kept of a person who is being learnt: named, deleted, and in one process's hands."""

import json
from pathlib import Path

import pytest

from agent.begun import begun_folder, sole_use
from agent.cli import main
from agent.engines import open_engine
from models.errors import InputError


@pytest.fixture
def anna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENT_DATA", str(tmp_path / "data"))
    folder = begun_folder("anna")
    with sole_use(folder):
        (folder / "pictures.npy").write_bytes(bytes(2_000_000))
    return folder


def test_it_is_listed_and_deleted(anna: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    assert f"anna is begun and not done: 2 MB of face, voice and networks in {anna}" in capsys.readouterr().out
    assert main(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["begun"] == {"anna": {"folder": str(anna), "size_bytes": 2_000_000}}
    assert main(["models", "remove", "talk3d", "--person", "anna"]) == 0
    assert f"removed {anna}" in capsys.readouterr().err and not anna.exists()
    assert main(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["begun"] == {}


def test_another_engine_and_everybody_leave_it(anna: Path) -> None:
    assert main(["models", "remove", "goha", "--person", "anna"]) == 0
    assert main(["models", "remove", "talk3d"]) == 0
    assert (anna / "pictures.npy").exists()


def test_a_run_with_this_person_says_how_to_go_on(anna: Path) -> None:
    with pytest.raises(InputError, match="anna is begun; the agent personalise that began goes on with it"):
        open_engine("talk3d:anna")


def test_what_a_run_has_in_hand_is_not_deleted(anna: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sole_use(anna):
        assert main(["models", "remove", "talk3d", "--person", "anna"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and "in use by another agent personalise" in told[0]
    assert (anna / "pictures.npy").exists()
