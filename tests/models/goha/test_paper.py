"""GOHA's networks as executors run them: shapes alone, on a device that has no values to look at."""

from dataclasses import fields

import pytest
import torch
from golden import goha_inputs

from models.goha.drive import Drive
from models.goha.lifting import nearest, nearest_by_products
from models.goha.model import Goha
from models.goha.paper import GohaPaper, goha_paper
from models.goha.portrait_state import PortraitState
from models.goha.ways_at_hand import captured, ways_on

META = torch.device("meta")


@pytest.fixture(scope="module")
def paper() -> GohaPaper:
    with torch.device("meta"):
        return goha_paper(Goha().eval().requires_grad_(False), goha_inputs.face())


def test_the_layout_is_that_of_the_tensors(paper: GohaPaper) -> None:
    trial = paper.trial()
    state = paper.prepare(trial.parts.to(META))
    spec = paper.layout.driven_spec()
    assert [tensor.name for tensor in spec.inputs] == [*PortraitState._fields, *Drive._fields]
    for tensor, value in zip(spec.inputs, (*state, *trial.drive), strict=True):
        assert (tensor.shape, tensor.torch_dtype) == (tuple(value.shape), value.dtype), tensor.name
    fresh = paper.painter(META)(state, Drive(*(values.to(META) for values in trial.drive)))
    frame = paper.layout.frame_spec()
    for tensor, value in zip(frame.inputs, (*paper.seen(state), *fresh), strict=True):
        assert (tensor.shape, tensor.torch_dtype) == (tuple(value.shape), value.dtype), tensor.name


def test_a_trial_shows_a_person_and_two_other_instants(paper: GohaPaper) -> None:
    trial = paper.trial()
    shown = (trial.parts.picture > -1).any(1).float().mean()
    assert 0.2 < shown < 0.8 and trial.parts.picture.abs().max() <= 1
    assert (trial.parts.face > -1).any()
    assert all(not torch.equal(*pair) for pair in zip(trial.drive, trial.second, strict=True))
    assert all(isinstance(getattr(trial.parts.to(META), each.name), torch.Tensor) for each in fields(trial.parts))


def test_what_waits_for_a_device_is_left_to_the_cpu(paper: GohaPaper) -> None:
    model = paper.model
    assert isinstance(model, Goha)
    assert ways_on(model, torch.device("cpu")).find is nearest
    assert ways_on(model, META).find is captured(model, torch.float32).find is nearest_by_products
