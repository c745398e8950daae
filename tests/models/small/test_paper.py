"""The small model as executors run it, with the weights that come with the package."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from models.backends.onnx_executor import OnnxExecutor
from models.backends.onnx_file import export
from models.backends.onnx_runtime import OnnxNetwork
from models.backends.torch_executor import TorchExecutor
from models.backends.verdict import ENOUGH_DB
from models.errors import AgentError
from models.face import load_face_model
from models.metrics.pictures import psnr_db
from models.small import paper as small
from models.small.drive import Drive
from models.small.model import SmallModel
from models.small.paper import SmallPaper, load_small_paper, small_paper
from models.small.portrait_state import PortraitState

META = torch.device("meta")


@pytest.fixture(scope="module")
def without_values() -> SmallPaper:
    with torch.device("meta"):
        return small_paper(SmallModel().eval().requires_grad_(False), load_face_model())


def test_the_layout_is_that_of_the_tensors(without_values: SmallPaper) -> None:
    paper, trial = without_values, without_values.trial()
    state = paper.prepare(trial.parts.to(META))
    spec = paper.layout.driven_spec()
    assert [tensor.name for tensor in spec.inputs] == [*PortraitState._fields, *Drive._fields[:1], "rotation"]
    for tensor, value in zip(spec.inputs, (*state, *trial.drive), strict=True):
        assert (tensor.shape, tensor.torch_dtype) == (tuple(value.shape), value.dtype), tensor.name
    fresh = paper.painter(META)(state, Drive(*(values.to(META) for values in trial.drive)))
    for tensor, value in zip(paper.layout.frame_spec().inputs, (*paper.seen(state), *fresh), strict=True):
        assert (tensor.shape, tensor.torch_dtype) == (tuple(value.shape), value.dtype), tensor.name
    assert all(isinstance(getattr(trial.parts.to(META), each.name), torch.Tensor) for each in fields(trial.parts))


def test_onnx_runtime_draws_what_torch_draws(tmp_path: Path, one_thread: None) -> None:
    paper, digest = load_small_paper()
    assert len(digest) == 64
    trial, reference = paper.trial(), TorchExecutor(paper, torch.device("cpu"))
    state = reference.prepare(trial.parts)
    wanted = reference.frame(state, trial.second)
    assert np.array_equal(wanted, reference.frame(state, trial.second)), "a still driver, a still picture"
    assert not np.array_equal(wanted, reference.frame(state, trial.drive))
    assert psnr_db(reference.frame(state, trial.second, level=1), wanted) > 25
    spec = paper.layout.frame_spec()
    fresh = paper.painter(torch.device("cpu"))(state, trial.drive)
    export(paper.exported("float32"), spec, [*paper.seen(state), *fresh], tmp_path / "frame.onnx")
    by_onnx = OnnxExecutor(paper, OnnxNetwork(tmp_path / "frame.onnx", spec))
    assert psnr_db(by_onnx.frame(state, trial.second), wanted) > ENOUGH_DB


def test_damaged_weights_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "WEIGHTS", tmp_path / "weights.safetensors")
    with pytest.raises(AgentError, match=r"weights.safetensors are damaged .*reinstall"):
        load_small_paper()
    (tmp_path / "weights.safetensors").write_bytes(small.WEIGHTS.name.encode())
    with pytest.raises(AgentError, match="damaged"):
        load_small_paper()


def test_what_is_shipped_is_small() -> None:
    assert small.WEIGHTS.stat().st_size < 20e6
