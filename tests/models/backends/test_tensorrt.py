"""Building and running by TensorRT, as far as that goes without it: a stand-in for the package."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from models.backends import tensorrt
from models.backends.built import BuiltFiles
from models.backends.spec import NetworkSpec, TensorSpec
from models.errors import AgentError

SPEC = NetworkSpec("net", (TensorSpec("x", (1, 2)),), TensorSpec("y", (1, 2)))


class Monitor:
    """Base of progress monitors."""


class Package:
    """The part of tensorrt that is used; `plan` is what a build gives."""

    __version__ = "10.9.0"

    def __init__(self, plan: bytes | None, errors: list[str]) -> None:
        self.plan, self.errors, self.cache = plan, errors, b""
        self.IProgressMonitor, self.Builder, self.Runtime = Monitor, lambda logger: self, lambda logger: self
        self.Logger = type("Logger", (), {"ERROR": 1, "__init__": lambda self, level: None})
        self.OnnxParser = lambda network, logger: self
        self.NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
        self.MemoryPoolType, self.BuilderFlag = SimpleNamespace(WORKSPACE=0), SimpleNamespace(TF32=0)
        self.num_errors = len(errors)
        self.progress_monitor: Any = None

    def create_network(self, flags: int) -> "Package":
        assert flags == 2
        return self

    def parse_from_file(self, path: str) -> bool:
        return not self.errors

    def get_error(self, index: int) -> str:
        return self.errors[index]

    def create_builder_config(self) -> "Package":
        return self

    def set_memory_pool_limit(self, pool: int, size: int) -> None: ...

    def clear_flag(self, flag: int) -> None: ...

    def create_timing_cache(self, known: bytes) -> "Package | None":
        if known == b"damaged":
            return None
        self.cache = known
        return self

    def set_timing_cache(self, cache: "Package", ignore_mismatch: bool) -> None:
        assert cache is self

    def get_timing_cache(self) -> SimpleNamespace:
        return SimpleNamespace(serialize=lambda: self.cache + b"+")

    def build_serialized_network(self, network: "Package", config: "Package") -> bytes | None:
        monitor = self.progress_monitor
        monitor.phase_start("building", None, 2)
        monitor.phase_start("tactics", "building", 9)
        goes_on = [monitor.step_complete(*step) for step in (("building", 0), ("tactics", 5), ("building", 1))]
        monitor.phase_finish("building")
        return self.plan if all(goes_on) else None

    def deserialize_cuda_engine(self, plan: bytes) -> None:
        return None


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch):
    def as_package(plan: bytes | None = b"plan", errors: tuple[str, ...] = ()) -> None:
        monkeypatch.setitem(sys.modules, "tensorrt", Package(plan, list(errors)))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H200/141 GB")

    return as_package


def test_an_engine_belongs_to_device_and_version_and_is_built_with_what_was_measured_before(install, tmp_path) -> None:
    install()
    files, heard = BuiltFiles(tmp_path / "0123"), []
    for _ in range(2):
        path = tensorrt.build(Path("net.onnx"), files, SPEC, lambda *step: heard.append(step) is None)
    assert path.name == "net.NVIDIA-H200-141-GB.10.9.0.engine" and path.read_bytes() == b"plan"
    measured = tmp_path / "timing.NVIDIA-H200-141-GB.10.9.0.cache"
    assert measured.read_bytes() == b"++"
    assert heard == [("building", 1, 2), ("building", 2, 2)] * 2


@pytest.mark.parametrize(
    ("plan", "errors", "goes_on", "message"),
    [
        (b"plan", ("no such layer", "twice"), True, r"cannot read net\.onnx: no such layer; twice"),
        (None, (), True, "could not build net"),
        (b"plan", (), False, "could not build net"),
    ],
)
def test_a_build_that_fails_leaves_nothing(install, tmp_path, plan, errors, goes_on, message) -> None:
    install(plan, errors)
    with pytest.raises(AgentError, match=message):
        tensorrt.build(Path("net.onnx"), BuiltFiles(tmp_path / "0123"), SPEC, lambda *step: goes_on)
    assert list(tmp_path.iterdir()) == []


def test_measurements_that_cannot_be_read_or_kept_cost_time_alone(install, tmp_path) -> None:
    install()
    (tmp_path / tensorrt.timing_cache_name() / "in the way").mkdir(parents=True)
    path = tensorrt.build(Path("net.onnx"), BuiltFiles(tmp_path / "0123"), SPEC, lambda *step: True)
    assert path.read_bytes() == b"plan"
    (tmp_path / "1" / tensorrt.timing_cache_name()).parent.mkdir()
    (tmp_path / "1" / tensorrt.timing_cache_name()).write_bytes(b"damaged")
    tensorrt.build(Path("net.onnx"), BuiltFiles(tmp_path / "1" / "0123"), SPEC, lambda *step: True)
    assert (tmp_path / "1" / tensorrt.timing_cache_name()).read_bytes() == b"+"


def test_an_engine_of_another_device_is_refused(install, tmp_path) -> None:
    install()
    (tmp_path / "net.engine").write_bytes(b"other")
    with pytest.raises(AgentError, match="cannot be used here; build it again"):
        tensorrt.TensorRtNetwork(tmp_path / "net.engine", SPEC)
