"""Checkpoints that nobody trained: written as they were released, brought in as a person does it, drawn with."""

import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")

import fill_checkpoints
import torch
from golden import goha_inputs
from golden.fill import read_manifest
from safetensors import safe_open

from agent.cli import main
from agent.papers import load_paper
from models.backends.torch_executor import TorchExecutor
from models.goha.needs import COEFFICIENTS_FILE, NETWORKS_FILE
from models.weights import Weights, find

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Deleted at once: a gigabyte may lie there."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("AGENT_DATA", f"{folder}/data")
        yield Path(folder) / "written"


def fill(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["fill_checkpoints.py", *map(str, arguments)])
    return fill_checkpoints.main()


def bring_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Weights:
    """Writes, and imports by the command that was printed."""
    assert fill(monkeypatch, *arguments) == 0
    told = capsys.readouterr()
    assert "NOT TRAINED: every face will be noise" in told.err
    assert main(shlex.split(told.out)[1:]) == 0
    weights = find(str(arguments[1]))
    assert isinstance(weights, Weights)
    return weights


@pytest.mark.usefixtures("one_thread")
def test_a_person_filled_small_is_imported_and_drawn(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bring_in(monkeypatch, capsys, "--paper", "talk3d", "--small", "--out", out)
    paper = load_paper("talk3d")
    executor, trial = TorchExecutor(paper, torch.device("cpu")), paper.trial()
    state = executor.prepare(trial.parts)
    first, second = (executor.frame(state, drive) for drive in (trial.drive, trial.second))
    assert first.shape == (128, 128, 3) and first.std() > 10
    assert (first != second).any(), "the drive counts"


def test_goha_s_networks_are_imported_as_they_were_released(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = bring_in(monkeypatch, capsys, "--paper", "goha", "--out", out)
    assert weights.absent == ()
    for name, manifest in (
        (NETWORKS_FILE, goha_inputs.MANIFEST),
        (COEFFICIENTS_FILE, goha_inputs.COEFFICIENT_MANIFEST),
    ):
        with safe_open(weights.folder / name, "pt") as file:
            assert {*file.keys()} == {*read_manifest(manifest)}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--paper", "goha", "--small", "--out", "x"), "--small: goha's networks have one size; leave it out"),
        (("--paper", "goha", "--out", __file__), "cannot be made a folder"),
    ],
)
def test_what_cannot_be_written_costs_one_line(
    arguments: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(monkeypatch, *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and told in line
