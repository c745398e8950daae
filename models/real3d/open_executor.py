"""Opens the executor of a backend; what has to be exported or built for it is kept for the next time."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal, assert_never, get_args

import torch

from models.backends import tensorrt
from models.backends.built import BuiltFiles, fingerprint, sources_of
from models.backends.onnx_file import export
from models.backends.onnx_runtime import OnnxNetwork
from models.backends.spec import NetworkSpec
from models.errors import InputError
from models.real3d.best_executor import Candidate, best
from models.real3d.executor import Executor
from models.real3d.face import Real3dFace
from models.real3d.folded import FrameNetwork
from models.real3d.graph_executor import GraphExecutor, torch_runs
from models.real3d.networks import FramePicture, Stored, frame_spec
from models.real3d.onnx_executor import OnnxExecutor
from models.real3d.torch_executor import TorchExecutor
from models.real3d.trial import trial_drive
from models.real3d.video_model import VideoModel

Backend = Literal["auto", "torch", "cudagraph", "onnx", "tensorrt"]
Say = Callable[[str], None]
"""Hears what the user should know, one line each."""

ON_GPU: Stored = "float16"
"""Type of the features where tensor cores are: with weights made by rule, 57 dB from float32; bfloat16: 44 dB."""
_DEFINED_IN = ("models.real3d.networks", "models.backends.onnx_file")
"""Modules that say, with all that they import, what the frame network is and how it becomes a file."""


def built_files(model: VideoModel, folder: Path) -> BuiltFiles:
    """Of these weights and this frame network, within `folder`."""
    return BuiltFiles(folder / fingerprint(model, sources_of(*_DEFINED_IN)))


def exported_frame(model: VideoModel, files: BuiltFiles, stored: Stored, say: Say) -> Path:
    """The frame network as an ONNX file; a minute and 4 GB of memory where it has to be made.

    What was made of other weights goes then.
    """
    spec = frame_spec(stored)

    def make(path: Path) -> None:
        say("exporting the frame network, once: about a minute")
        device = model.lambda_pertube_secc.device
        network = FramePicture(FrameNetwork(model, getattr(torch, stored)))
        drive = trial_drive().to(device)
        pictures = [tensor.zeros(device) for tensor in spec.inputs[:-2]]
        export(network, spec, [*pictures, drive.camera, drive.key_points], path)
        files.drop_others()

    return files.get(_onnx_name(spec), make)


def _onnx_name(spec: NetworkSpec) -> str:
    return f"{spec.name}.onnx"


def build_engine(model: VideoModel, files: BuiltFiles, stored: Stored, say: Say, progress: tensorrt.Progress) -> Path:
    """The frame network built by TensorRT for this GPU, minutes; `model` is moved to it.

    Raises:
        InputError: TensorRT or a GPU is missing.
        AgentError: TensorRT cannot build it, or `progress` ended it.
    """
    tensorrt.require_tensorrt()
    onnx = exported_frame(model.to("cuda"), files, stored, say)
    return tensorrt.build(onnx, files, frame_spec(stored), progress)


def open_executor(backend: Backend, model: VideoModel, face: Real3dFace, folder: Path, say: Say) -> Executor:
    """The executor of `--backend`; auto is the fastest that draws what the reference draws.

    Args:
        backend: as in `--backend`.
        model: is moved to the executor's device.
        face: that drives count in.
        folder: where built files are kept, for all networks of the engine.
        say: hears about slow work, and about backends that are passed over.

    Raises:
        InputError: this machine has no such backend, or it has to be built first.
        AgentError: it does not work.
    """
    match backend:
        case "torch":
            return TorchExecutor(model, face, _device())
        case "cudagraph":
            return _graphed(model, face)
        case "onnx":
            return _exported(model, face, built_files(model, folder), say)
        case "tensorrt":
            return _newest_built(model, face, built_files(model, folder))
        case "auto":
            files = built_files(model, folder)
            return best(_candidates(model, face, files, say), TorchExecutor(model, face, _device()), files, say)
        case _:
            assert_never(backend)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _exported(model: VideoModel, face: Real3dFace, files: BuiltFiles, say: Say) -> Executor:
    return OnnxExecutor(model, face, OnnxNetwork(exported_frame(model, files, "float32", say), frame_spec()))


def _graphed(model: VideoModel, face: Real3dFace) -> Executor:
    if not torch.cuda.is_available():
        raise InputError("--backend cudagraph needs an NVIDIA GPU, and torch finds none; use --backend auto")
    device = _device()
    return GraphExecutor("cudagraph", model, face, device, {1: torch_runs(model, device, ON_GPU)}, ON_GPU)


def built_engines(files: BuiltFiles) -> list[tuple[Stored, Path]]:
    """What TensorRT has built of the frame network for this GPU, newest first. Raises InputError as it is missing."""
    found = [(stored, files.find(tensorrt.engine_name(frame_spec(stored)))) for stored in get_args(Stored)]
    there = [(stored, path) for stored, path in found if path is not None]
    return sorted(there, key=lambda engine: engine[1].stat().st_mtime_ns, reverse=True)


def _built(model: VideoModel, face: Real3dFace, stored: Stored, engine: Path) -> Executor:
    run = tensorrt.TensorRtNetwork(engine, frame_spec(stored))
    return GraphExecutor(f"tensorrt {stored}", model, face, _device(), {1: [run]}, stored)


def _newest_built(model: VideoModel, face: Real3dFace, files: BuiltFiles) -> Executor:
    for stored, engine in built_engines(files):
        return _built(model, face, stored, engine)
    raise InputError("TensorRT has built nothing for this GPU yet: agent models build real3d --backend tensorrt")


def _candidates(model: VideoModel, face: Real3dFace, files: BuiltFiles, say: Say) -> list[Candidate]:
    if not torch.cuda.is_available():
        exported = partial(_exported, model, face, files, say)
        return [Candidate("onnx", exported, files.folder / _onnx_name(frame_spec()))]
    built: list[tuple[Stored, Path]] = []
    with suppress(InputError):  # no TensorRT here
        built = built_engines(files)
    return [
        *(Candidate(f"tensorrt {stored}", partial(_built, model, face, stored, path), path) for stored, path in built),
        Candidate("cudagraph", partial(_graphed, model, face)),
    ]
