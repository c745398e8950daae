"""Checkpoints as the trainer writes them: networks are read, optimisers are not, and nothing is run."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.errors import InputError
from models.talk3d.checkpoint_file import PARTS, read_checkpoint
from tests.models.talk3d.released import save_checkpoint

NULL = torch.randn(1, 1, 64)


@pytest.fixture
def networks() -> dict[str, nn.Module]:
    return {part: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)) for part in PARTS}


def test_networks_are_read_beside_whole_optimisers(tmp_path: Path, networks: dict[str, nn.Module]) -> None:
    read = read_checkpoint(save_checkpoint(tmp_path / "May_demo.pt", networks, NULL))
    want: dict[str, Tensor] = {"conditions.null_vector": NULL}
    for part, prefix in PARTS.items():
        want |= {prefix + name: values for name, values in networks[part].state_dict().items()}
    assert read.entries.keys() == want.keys()
    assert all(torch.equal(read.entries[name], values) for name, values in want.items())
    assert (read.step, read.drawer) == (80_000, None)


@pytest.mark.parametrize(("name", "trained"), [("May_tune.pt", True), ("May_demo.pt", False)])
def test_the_drawing_network_counts_where_it_was_trained(
    tmp_path: Path, networks: dict[str, nn.Module], name: str, trained: bool
) -> None:
    drawer = nn.Linear(1, 1).state_dict()
    read = read_checkpoint(save_checkpoint(tmp_path / name, networks, NULL, superresolution=drawer))
    assert (read.drawer is not None and read.drawer.keys() == drawer.keys()) == trained


def test_code_is_refused_and_not_run(tmp_path: Path, networks: dict[str, nn.Module]) -> None:
    mark = tmp_path / "ran"

    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(mark),)

    path = save_checkpoint(tmp_path / "bad.pt", networks, NULL, epoch_losses=Hostile())
    with pytest.raises(InputError, match="wants to run code"):
        read_checkpoint(path)
    assert not mark.exists()


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "audio_net": {}}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="is not a checkpoint of Talk3D"):
        read_checkpoint(tmp_path / "other.pt")
