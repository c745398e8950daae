"""Opens the executor of a backend; what has to be exported or built for it is kept for the next time."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal, assert_never

import torch

from models.backends import tensorrt
from models.backends.best_executor import Candidate, best
from models.backends.built import BuiltFiles, fingerprint, sources_of
from models.backends.executor import Executor
from models.backends.graph_executor import GraphExecutor
from models.backends.onnx_executor import OnnxExecutor
from models.backends.onnx_file import export
from models.backends.onnx_runtime import OnnxNetwork
from models.backends.paper import DriveT, Paper, PartsT, StateT, Stored
from models.backends.spec import NetworkSpec
from models.backends.torch_executor import TorchExecutor
from models.errors import AgentError, InputError

Backend = Literal["auto", "torch", "cudagraph", "onnx", "tensorrt"]
Say = Callable[[str], None]
"""Hears what the user should know, one line each."""


def built_files(paper: Paper[PartsT, StateT, DriveT], folder: Path) -> BuiltFiles:
    """Of these weights and this frame network, within `folder`."""
    sources = sources_of(*paper.defined_in, "models.backends.onnx_file")
    return BuiltFiles(folder / fingerprint(paper.model, sources))


def exported_frame(paper: Paper[PartsT, StateT, DriveT], files: BuiltFiles, stored: Stored, say: Say) -> Path:
    """The frame network as an ONNX file; a minute and 4 GB of memory where it has to be made.

    What was made of other weights goes then.
    """
    spec = paper.layout.frame_spec(stored)

    def make(path: Path) -> None:
        say("exporting the frame network, once: about a minute")
        device = next(paper.model.parameters()).device
        kept = paper.layout.driven_spec(stored).inputs[: len(paper.state.names)]
        zeros = paper.state.make(tensor.zeros(device) for tensor in kept)
        drive = paper.drive(values.to(device) for values in paper.trial().drive)
        fresh = paper.painter(device)(zeros, drive)
        export(paper.exported(stored), spec, [*paper.seen(zeros), *fresh], path)
        files.drop_others()

    return files.get(_onnx_name(spec), make)


def _onnx_name(spec: NetworkSpec) -> str:
    return f"{spec.name}.onnx"


def build_engine(
    paper: Paper[PartsT, StateT, DriveT], files: BuiltFiles, stored: Stored, say: Say, progress: tensorrt.Progress
) -> Path:
    """The frame network built by TensorRT for this GPU, minutes; the paper's model is moved to it.

    Raises:
        InputError: TensorRT or a GPU is missing.
        AgentError: TensorRT cannot build it, or `progress` ended it.
    """
    tensorrt.require_tensorrt()
    paper.model.to("cuda")
    onnx = exported_frame(paper, files, stored, say)
    return tensorrt.build(onnx, files, paper.layout.frame_spec(stored), progress)


def open_executor(
    backend: Backend, paper: Paper[PartsT, StateT, DriveT], folder: Path, say: Say
) -> Executor[PartsT, StateT, DriveT]:
    """The executor of `--backend`; auto is the fastest that draws what the reference draws.

    Args:
        backend: as in `--backend`; cudagraph is the first type of features, tensorrt the newest engine, that draws
            what the reference draws.
        paper: its model is moved to the executor's device.
        folder: where built files are kept, for all networks of the engine.
        say: hears about slow work, and about backends that are passed over.

    Raises:
        InputError: this machine has no such backend, or it has to be built first.
        AgentError: it does not work.
    """
    match backend:
        case "torch":
            return TorchExecutor(paper, _device())
        case "cudagraph":
            return _of_graphs(paper, folder, say)
        case "onnx":
            return _exported(paper, built_files(paper, folder), say)
        case "tensorrt":
            return _of_built(paper, built_files(paper, folder), say)
        case "auto":
            return _fastest(paper, built_files(paper, folder), say)
        case _:
            assert_never(backend)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _exported(paper: Paper[PartsT, StateT, DriveT], files: BuiltFiles, say: Say) -> Executor[PartsT, StateT, DriveT]:
    spec = paper.layout.frame_spec()
    return OnnxExecutor(paper, OnnxNetwork(exported_frame(paper, files, "float32", say), spec))


def _graphed(paper: Paper[PartsT, StateT, DriveT], stored: Stored) -> Executor[PartsT, StateT, DriveT]:
    device = _device()
    paper.model.to(device)
    return GraphExecutor(f"cudagraph {stored}", paper, device, {1: paper.captured(stored)}, stored)


def _graphs(paper: Paper[PartsT, StateT, DriveT]) -> list[Candidate[PartsT, StateT, DriveT]]:
    return [Candidate(f"cudagraph {stored}", partial(_graphed, paper, stored)) for stored in paper.stored]


def _of_graphs(paper: Paper[PartsT, StateT, DriveT], folder: Path, say: Say) -> Executor[PartsT, StateT, DriveT]:
    if not torch.cuda.is_available():
        raise InputError("--backend cudagraph needs an NVIDIA GPU, and torch finds none; use --backend auto")
    reference = TorchExecutor(paper, _device())
    found = best(_graphs(paper), reference, paper, built_files(paper, folder), say)
    if found is reference:
        raise AgentError("no CUDA graph draws what the reference draws: use --backend auto")
    return found


def built_engines(paper: Paper[PartsT, StateT, DriveT], files: BuiltFiles) -> list[tuple[Stored, Path]]:
    """What TensorRT has built of the frame network for this GPU, newest first. Raises InputError as it is missing."""
    named = ((stored, tensorrt.engine_name(paper.layout.frame_spec(stored))) for stored in paper.stored)
    there = [(stored, path) for stored, name in named if (path := files.find(name)) is not None]
    return sorted(there, key=lambda engine: engine[1].stat().st_mtime_ns, reverse=True)


def _built(paper: Paper[PartsT, StateT, DriveT], stored: Stored, engine: Path) -> Executor[PartsT, StateT, DriveT]:
    run = tensorrt.TensorRtNetwork(engine, paper.layout.frame_spec(stored))
    return GraphExecutor(f"tensorrt {stored}", paper, _device(), {1: [run]}, stored)


def _candidate(paper: Paper[PartsT, StateT, DriveT], stored: Stored, engine: Path) -> Candidate[PartsT, StateT, DriveT]:
    return Candidate(f"tensorrt {stored}", partial(_built, paper, stored, engine), engine)


def _of_built(paper: Paper[PartsT, StateT, DriveT], files: BuiltFiles, say: Say) -> Executor[PartsT, StateT, DriveT]:
    candidates = [_candidate(paper, *engine) for engine in built_engines(paper, files)]
    anew = f"agent models build {paper.name} --backend tensorrt"
    if not candidates:
        raise InputError(f"TensorRT has built nothing for this GPU yet: {anew}")
    reference = TorchExecutor(paper, _device())
    found = best(candidates, reference, paper, files, say)
    if found is reference:
        raise AgentError(f"nothing that TensorRT has built draws what the reference draws: {anew}, or --backend auto")
    return found


def _fastest(paper: Paper[PartsT, StateT, DriveT], files: BuiltFiles, say: Say) -> Executor[PartsT, StateT, DriveT]:
    reference = TorchExecutor(paper, _device())
    if not torch.cuda.is_available():
        return reference  # ONNX Runtime takes longer, and more memory
    built: list[tuple[Stored, Path]] = []
    with suppress(InputError):  # no TensorRT here
        built = built_engines(paper, files)
    candidates = [_candidate(paper, *engine) for engine in built]
    return best([*candidates, *_graphs(paper)], reference, paper, files, say)
