"""The networks against the released code: names of all weights, and what every stage gives for weights made by rule."""

from collections.abc import Iterator

import pytest
import torch
from golden.fill import read_manifest
from golden.goha import GROUPS, GohaRun
from golden.goha_inputs import COEFFICIENT_MANIFEST, MANIFEST
from torch import nn

from models.goha.coefficients import CoefficientNetwork, load_coefficients
from models.goha.model import Goha, load_goha

pytestmark = pytest.mark.timeout(600)  # a minute of processor time, on whatever machine

STAGES = {
    "coefficients": 2, "face": 6, "masks": 5, "canonical": 6, "expression": 2, "field": 4, "render": 3, "appearance": 8,
    "low": 2, "restoration": 2, "frame": 8,
}  # fmt: skip
"""How many stages each group passes."""


@pytest.fixture(scope="module")
def goha() -> Iterator[GohaRun]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield GohaRun()
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("network", "manifest"), [(Goha, MANIFEST), (CoefficientNetwork, COEFFICIENT_MANIFEST)])
def test_weights_have_the_released_names_and_shapes(network: type[nn.Module], manifest: object) -> None:
    with torch.device("meta"):
        state = network().state_dict()
    assert {name: tuple(values.shape) for name, values in state.items()} == read_manifest(manifest)


@pytest.mark.parametrize(("network", "load"), [(Goha, load_goha), (CoefficientNetwork, load_coefficients)])
def test_a_missing_weight_is_noticed(network: type[nn.Module], load: object) -> None:
    with torch.device("meta"):
        weights = network().state_dict()
    name = next(iter(weights))
    del weights[name]
    with pytest.raises(RuntimeError, match=name):
        load(weights)


@pytest.mark.parametrize("group", STAGES)
def test_stages_are_those_of_the_released_code(goha: GohaRun, group: str) -> None:
    before = set(goha.comparison.measured)
    with torch.inference_mode():
        GROUPS[group](goha)
    new = [m for name, m in goha.comparison.measured.items() if name not in before]
    assert len(new) == STAGES[group]
    assert [m for m in new if not m.good] == []
