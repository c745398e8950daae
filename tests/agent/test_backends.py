"""`--backend` and `agent models build`: what cannot be is said in one line, with the remedy."""

from pathlib import Path

import pytest

from agent.cli import main
from agent.config.engines import BackendName
from agent.engines import open_engine
from models.errors import InputError


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENT_DATA", str(tmp_path))


@pytest.mark.parametrize("backend", ["torch", "cudagraph", "onnx", "tensorrt"])
def test_the_built_in_engine_has_no_backends(backend: BackendName) -> None:
    with pytest.raises(InputError, match=f"--backend {backend}: .*leave --backend out"):
        open_engine("builtin", backend)
    assert open_engine("builtin", "auto").backend == "cpu"


def test_an_engine_without_weights_says_what_is_missing() -> None:
    with pytest.raises(InputError, match=r"real3d is not ready: its video model is missing, its .*`agent models list`"):
        open_engine("real3d")
    with pytest.raises(InputError, match="goha is not ready: its avatar network is missing, its face"):
        open_engine("goha")


@pytest.mark.parametrize("backend", ["onnx", "tensorrt"])
def test_nothing_is_built_without_weights(backend: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "build", "real3d", "--backend", backend]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "real3d is not ready" in line
    assert list(tmp_path.rglob("*")) == []


def test_a_precision_that_the_backend_has_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for precision, told in (("fp16", "--backend onnx exports in fp32; leave --precision out"), ("fp32", "not ready")):
        assert main(["models", "build", "real3d", "--backend", "onnx", "--precision", precision]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert told in line
    assert main(["models", "build", "real3d", "--precision", "fp16"]) == 2
    assert "not ready" in capsys.readouterr().err


def test_a_backend_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--portrait", "x.png", "--backend", "steam"]) == 2
    assert "invalid choice 'steam' for argument '--backend'" in capsys.readouterr().err
