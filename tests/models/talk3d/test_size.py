"""Sizes that weights tell, and what is made of weights that tell nonsense."""

import pytest
import torch
from torch import Tensor

from models.checkpoint import faults
from models.talk3d.checkpoint_file import Driver
from models.talk3d.generator import Generator
from models.talk3d.importing import RELEASED
from models.talk3d.size import STAGES, GeneratorSize, generator_size, planes_side, stage_widths
from tests.models.talk3d.personal import tiny

PREDICTOR = "deltaplane_predictor."
FIRST, ENLARGING = "backbone.synthesis.b4.conv1.bias", "superresolution.block0.conv1"
SPOILT: dict[str, object] = {
    "a number": torch.tensor(3.0),
    "a table": torch.zeros(16, 16),
    "nothing": torch.zeros(0),
    "no tensor": [1, 2],
    "endless": torch.zeros(1).expand(2**40),
}


def entries(network: type) -> dict[str, Tensor]:
    with torch.device("meta"):
        return dict((Generator(tiny.SIZE) if network is Generator else small_driver()).state_dict())


def small_driver() -> Driver:
    return Driver(tiny.SIZE.planes, tiny.WIDTHS)


def test_weights_tell_their_size() -> None:
    assert generator_size(entries(Generator)) == tiny.SIZE
    assert stage_widths(entries(Driver), PREDICTOR) == tiny.WIDTHS
    assert planes_side(entries(Driver), PREDICTOR) == tiny.SIZE.planes
    assert generator_size({}) == GeneratorSize()
    assert stage_widths({}) == STAGES


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("name", [FIRST, f"{ENLARGING}.bias", f"{ENLARGING}.noise_const"])
def test_a_spoilt_generator_is_found_faulty(spoilt: str, name: str) -> None:
    found: dict[str, object] = {**entries(Generator), name: SPOILT[spoilt]}
    assert faults(found, RELEASED.generator.expected(found))


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("name", ["Downnet.Downnet1_xy.conv1.bias", "Downnet.Downnet3_xy.conv1.bias"])
def test_spoilt_delta_plane_networks_are_found_faulty(spoilt: str, name: str) -> None:
    found: dict[str, object] = {**entries(Driver), f"{PREDICTOR}{name}": SPOILT[spoilt]}
    assert stage_widths(found, PREDICTOR) == STAGES
    assert faults(found, RELEASED.driver.expected(found))
