"""Checkpoints as the trainer writes them: networks are read, optimisers are not, and nothing is run."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from models.errors import InputError
from models.talk3d.checkpoint_file import driver_entries, read_checkpoint
from tests.models.talk3d.released import save_driver, small_driver


def test_networks_are_read_beside_whole_optimisers(tmp_path: Path) -> None:
    path = save_driver(tmp_path / "May_demo.pt")
    read, want = driver_entries(read_checkpoint(path), path), small_driver().state_dict()
    assert read.keys() == want.keys()
    assert all(torch.equal(read[name], values) for name, values in want.items())


def test_code_is_refused_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(mark),)

    with pytest.raises(InputError, match="wants to run code"):
        read_checkpoint(save_driver(tmp_path / "bad.pt", losses=Hostile()))
    assert not mark.exists()
