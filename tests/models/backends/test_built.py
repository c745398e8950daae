"""Files made once per network: whole or not at all; and what was measured of backends, beside them."""

import os
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from torch import nn

from models.backends.built import BuiltFiles, fingerprint
from models.backends.cuda_math import repeatable
from models.backends.machine import machine
from models.backends.verdict import Verdicts
from models.errors import AgentError


def test_a_file_is_made_once(tmp_path: Path) -> None:
    files, made = BuiltFiles(tmp_path / "a" / "b"), []
    assert files.find("x") is None

    def make(path: Path) -> None:
        made.append(path)
        path.write_text(str(len(made)))

    assert [files.get("x", make).read_text() for _ in range(2)] == ["1", "1"]
    assert files.replace("x", make).read_text() == "2" and files.find("x") == tmp_path / "a" / "b" / "x"


def test_a_file_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    def interrupted(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    files = BuiltFiles(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        files.get("x", interrupted)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_costs_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AgentError, match=r"cannot be written to: .*AGENT_DATA"):
        BuiltFiles(tmp_path / "file" / "folder").get("x", lambda path: None)


def test_weights_and_program_make_the_fingerprint(tmp_path: Path) -> None:
    source, network = tmp_path / "a.py", nn.Linear(2, 2)
    source.write_text("1")
    first = fingerprint(network, [source])
    assert len(first) == 16 and fingerprint(network, [source]) == first
    source.write_text("2")
    second = fingerprint(network, [source])
    with torch.no_grad():
        network.bias[1] += 1
    assert len({first, second, fingerprint(network, [source])}) == 3


def test_what_ended_processes_left_is_swept_and_what_others_make_is_not(tmp_path: Path) -> None:
    for name, age_s in (("old", 4000.0), ("new", 0.0)):
        (tmp_path / f".part-{name}").mkdir()
        now_s = (tmp_path / f".part-{name}").stat().st_mtime
        os.utime(tmp_path / f".part-{name}", (now_s - age_s, now_s - age_s))
    BuiltFiles(tmp_path).get("x", Path.touch)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".part-new", "x"]


def test_a_verdict_is_measured_once_and_kept(tmp_path: Path) -> None:
    asked: list[str] = []

    def measure() -> float:
        asked.append("")
        return 51.5

    for _ in range(2):
        assert Verdicts(BuiltFiles(tmp_path)).of("graph", measure) == 51.5
    assert len(asked) == 1
    assert Verdicts(BuiltFiles(tmp_path)).of("another", measure) == 51.5 and len(asked) == 2
    (tmp_path / "verdicts.json").write_text("[1]")
    assert Verdicts(BuiltFiles(tmp_path)).of("graph", measure) == 51.5 and len(asked) == 3
    for _ in range(2):
        Verdicts(BuiltFiles(tmp_path)).forget()
    assert Verdicts(BuiltFiles(tmp_path)).of("graph", measure) == 51.5 and len(asked) == 4


def test_the_machine_is_told_with_the_versions_of_what_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine()
    assert here.startswith("CPU ") or "cuDNN" in here
    assert f"torch {torch.__version__}" in here and f"onnxruntime {version('onnxruntime')}" in here
    monkeypatch.setattr("models.backends.machine.version", lambda package: "0.1")
    assert machine() != here and "tensorrt 0.1" in machine()


def test_convolutions_are_exact_and_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("allow_tf32", True), ("benchmark", True), ("deterministic", False)):
        monkeypatch.setattr(torch.backends.cudnn, name, value)
    repeatable()
    cudnn = torch.backends.cudnn
    assert (cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic) == (False, False, True)
