"""Clips of two people who do not exist."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.scripts.real3d_training.made_up import make_clip


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder, seed=1)
    make_clip(folder, seed=2)
    return folder
