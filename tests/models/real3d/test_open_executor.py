"""Backends by name: what a machine lacks is said in one line, and auto takes what draws the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from models.backends import tensorrt
from models.backends.spec import NetworkSpec
from models.errors import AgentError, InputError
from models.real3d import open_executor
from models.real3d.networks import DRIVE_SHAPES, PORTRAIT_SHAPES, frame_spec
from models.real3d.open_executor import Backend, Executor, agreement_db
from models.real3d.portrait_state import FEATURES, PortraitState, prepare
from models.real3d.trial import trial_drive, trial_portrait
from models.real3d.video_model import PortraitParts, VideoModel


@pytest.fixture
def model() -> VideoModel:
    """Shapes alone."""
    with torch.device("meta"):
        return VideoModel().eval().requires_grad_(False)


class Fake:
    """An executor whose pictures are of one shade."""

    def __init__(self, name: str, shade: int) -> None:
        self.name, self.shade, self.closed = name, shade, False

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        return PortraitState(*[torch.zeros(1)] * len(PORTRAIT_SHAPES))

    def frame(self, state: PortraitState, *drive: torch.Tensor) -> np.ndarray:
        return np.full((512, 512, 3), self.shade, np.uint8)

    def close(self) -> None:
        self.closed = True


class Machine:
    """A machine with a GPU whose backends draw in these shades; an error is raised instead."""

    def __init__(self, model: VideoModel, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.model, self.folder, self.said, self.opened = model, folder, [], []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A GPU")
        monkeypatch.setattr(open_executor, "fingerprint", lambda model, sources: "0123")
        monkeypatch.setattr(open_executor, "TorchExecutor", lambda model, device: Fake("torch cuda", 100))
        self._patch = monkeypatch.setattr

    def auto(self, built: int | Exception, graphed: int | Exception) -> Executor:
        def opener(name: str, shade: int | Exception) -> Callable[..., Fake]:
            def open_it(*args: object) -> Fake:
                if isinstance(shade, Exception):
                    raise shade
                self.opened.append(Fake(name, shade))
                return self.opened[-1]

            return open_it

        self._patch(open_executor, "_built", opener("tensorrt", built))
        self._patch(open_executor, "_graphed", opener("cudagraph", graphed))
        return open_executor.open_executor("auto", self.model, self.folder, self.said.append)


@pytest.fixture
def machine(model: VideoModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(model, monkeypatch, tmp_path)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(open_executor, "fingerprint", lambda model, sources: "0123")


@pytest.mark.parametrize("backend", ["cudagraph", "tensorrt"])
def test_without_a_gpu_one_line_says_so(no_gpu: None, model: VideoModel, tmp_path: Path, backend: Backend) -> None:
    with pytest.raises(InputError, match="needs an NVIDIA GPU, and torch finds none; use --backend auto"):
        open_executor.open_executor(backend, model, tmp_path, print)


def test_without_tensorrt_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(__import__("sys").modules, "tensorrt", None)
    with pytest.raises(InputError, match=r"pip install 'portrait-agent\[tensorrt\]'"):
        tensorrt.require_tensorrt()


def test_auto_takes_the_first_that_draws_the_same(machine: Machine) -> None:
    assert machine.auto(built=101, graphed=100).name == "tensorrt"
    assert machine.said == []


def test_auto_passes_over_what_is_not_there_or_broken(machine: Machine) -> None:
    assert machine.auto(InputError("none was built"), 100).name == "cudagraph"
    assert machine.said == []
    assert machine.auto(AgentError("cannot be used\nhere"), RuntimeError("out of memory")).name == "torch cuda"
    assert machine.said == [
        "backend tensorrt does not work here: cannot be used",
        "backend cudagraph does not work here: out of memory",
    ]


def test_auto_passes_over_what_draws_otherwise_and_remembers(machine: Machine) -> None:
    assert machine.auto(built=103, graphed=100).name == "cudagraph"
    (line,) = machine.said
    assert line == "backend tensorrt is passed over: its picture is 38.6 dB from the reference's, not 45"
    assert machine.opened[0].closed and not machine.opened[1].closed
    assert machine.auto(built=100, graphed=100).name == "cudagraph", "measured before"
    assert (machine.folder / "0123" / "verdicts.json").is_file()


@pytest.mark.parametrize(("shade", "name"), [(100, "onnx cpu"), (120, "torch cpu")])
def test_auto_without_a_gpu_is_onnx_if_it_draws_the_same(
    no_gpu: None, model: VideoModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shade: int, name: str
) -> None:
    monkeypatch.setattr(open_executor, "TorchExecutor", lambda model, device: Fake(f"torch {device.type}", 100))
    monkeypatch.setattr(open_executor, "_exported", lambda *given: Fake("onnx cpu", shade))
    assert open_executor.open_executor("auto", model, tmp_path, print).name == name


def test_agreement_is_of_the_pictures() -> None:
    assert agreement_db(Fake("a", 7), Fake("b", 7)) == 99 > agreement_db(Fake("a", 7), Fake("b", 9)) > 40


def test_the_spec_is_that_of_the_tensors(model: VideoModel) -> None:
    portrait, drive = trial_portrait(), trial_drive()
    state = prepare(model, portrait.to(torch.device("meta"))).stored_as(torch.float16)
    for batch in (1, 2):
        spec = frame_spec("float16", batch)
        assert [tensor.name for tensor in spec.inputs] == [*PortraitState._fields, *DRIVE_SHAPES]
        for tensor, value in zip(spec.inputs, (*state, *drive), strict=True):
            assert (tensor.shape, tensor.torch_dtype) == ((batch, *value.shape[1:]), value.dtype)
    assert {t.name for t in frame_spec("float16").inputs if t.dtype == "float16"} == set(FEATURES)
    assert isinstance(spec, NetworkSpec) and spec.output.shape == (2, 512, 512, 3)


def test_the_trial_shows_a_head() -> None:
    portrait = trial_portrait()
    assert portrait.segments.sum(1).eq(1).all() and portrait.segments.mean((0, 2, 3))[[0, 2, 3, 4]].min() > 0.02
    assert portrait.head.abs().max() <= 1 and portrait.head[0, :, 0, 0].tolist() == [-1, -1, -1]
