"""The networks against the released code: names of all weights, and what every stage gives for weights made by rule."""

from collections.abc import Iterator

import pytest
import torch
from golden.fill import read_manifest
from golden.talk3d import GROUPS, Talk3DRun
from golden.talk3d_inputs import MANIFEST

from models.talk3d.model import Talk3D, load_talk3d

pytestmark = pytest.mark.timeout(600)  # a minute of processor time, on whatever machine

STAGES = {
    "tokens": 9, "audio": 4, "pose": 2, "field": 7, "planes": 2, "render": 4, "super_resolution": 1, "delta": 9,
    "frame": 3, "restoration": 2,
}  # fmt: skip
"""How many stages each group passes."""


@pytest.fixture(scope="module")
def talk3d() -> Iterator[Talk3DRun]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield Talk3DRun()
    torch.set_num_threads(threads)


def test_weights_have_the_released_names_and_shapes() -> None:
    with torch.device("meta"):
        state = Talk3D(restored=True).state_dict()
    released = {name.replace("/", "."): shape for name, shape in read_manifest(MANIFEST).items()}
    assert {name: tuple(values.shape) for name, values in state.items()} == released


@pytest.mark.parametrize("restored", [True, False])
def test_a_missing_weight_is_noticed(restored: bool) -> None:
    with torch.device("meta"):
        weights = Talk3D(restored).state_dict()
    del weights["conditions.null_vector"]
    with pytest.raises(RuntimeError, match="null_vector"):
        load_talk3d(weights)


@pytest.mark.parametrize("group", STAGES)
def test_stages_are_those_of_the_released_code(talk3d: Talk3DRun, group: str) -> None:
    before = set(talk3d.comparison.measured)
    with torch.inference_mode():
        GROUPS[group](talk3d)
    new = [m for name, m in talk3d.comparison.measured.items() if name not in before]
    assert len(new) == STAGES[group]
    assert [m for m in new if not m.good] == []
