"""Opens the executor of a backend; what has to be exported or built for it is kept for the next time."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, assert_never

import torch

from models.backends import tensorrt
from models.backends.built import BuiltFiles, fingerprint
from models.backends.onnx_file import export
from models.backends.onnx_runtime import OnnxNetwork
from models.backends.verdict import ENOUGH_DB, Verdicts, psnr_db
from models.errors import AgentError, InputError
from models.real3d.executor import Executor
from models.real3d.folded import FrameNetwork
from models.real3d.graph_executor import GraphExecutor, torch_run
from models.real3d.networks import DRIVE_SHAPES, FramePicture, Stored, frame_spec
from models.real3d.onnx_executor import OnnxExecutor
from models.real3d.torch_executor import TorchExecutor
from models.real3d.trial import trial_drive, trial_portrait
from models.real3d.video_model import VideoModel

Backend = Literal["auto", "torch", "cudagraph", "onnx", "tensorrt"]
Say = Callable[[str], None]
"""Hears what the user should know, one line each."""

ON_GPU: Stored = "float16"
"""Type of the features where tensor cores are: with weights made by rule, 57 dB from float32; bfloat16: 44 dB."""
_PREFERRED: tuple[Stored, ...] = ("float16", "bfloat16", "float32")


def built_files(model: VideoModel, folder: Path) -> BuiltFiles:
    """Of these weights and this program, within `folder`."""
    here = Path(__file__).parent
    sources = [*here.glob("*.py"), *here.parent.glob("*.py"), *here.parent.glob("backends/*.py")]
    return BuiltFiles(folder / fingerprint(model, sources))


def exported_frame(model: VideoModel, files: BuiltFiles, stored: Stored, say: Say) -> Path:
    """The frame network as an ONNX file; a minute and 4 GB of memory where it has to be made."""
    spec = frame_spec(stored)

    def make(path: Path) -> None:
        say("exporting the frame network, once: about a minute")
        device = model.lambda_pertube_secc.device
        network = FramePicture(FrameNetwork(model, getattr(torch, stored)))
        state = [tensor.zeros(device) for tensor in spec.inputs[: -len(DRIVE_SHAPES)]]
        export(network, spec, [*state, *(x.to(device) for x in trial_drive())], path)

    return files.get(f"{spec.name}.onnx", make)


def build_engine(model: VideoModel, files: BuiltFiles, stored: Stored, say: Say, progress: tensorrt.Progress) -> Path:
    """The frame network built by TensorRT for this GPU, minutes; `model` is moved to it.

    Raises:
        InputError: TensorRT or a GPU is missing.
        AgentError: TensorRT cannot build it, or `progress` ended it.
    """
    tensorrt.require_tensorrt()
    onnx = exported_frame(model.to("cuda"), files, stored, say)
    return tensorrt.build(onnx, files, frame_spec(stored), progress)


def open_executor(backend: Backend, model: VideoModel, folder: Path, say: Say) -> Executor:
    """The executor of `--backend`; auto is the fastest that draws what the reference draws.

    Args:
        backend: as in `--backend`.
        model: is moved to the executor's device.
        folder: where built files are kept, for all networks of the engine.
        say: hears about slow work, and about backends that are passed over.

    Raises:
        InputError: this machine has no such backend, or it has to be built first.
        AgentError: it does not work.
    """
    match backend:
        case "torch":
            return TorchExecutor(model, _device())
        case "cudagraph":
            return _graphed(model)
        case "onnx":
            return _exported(model, built_files(model, folder), say)
        case "tensorrt":
            return _built(model, built_files(model, folder))
        case "auto":
            return _best(model, built_files(model, folder), say)
        case _:
            assert_never(backend)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _exported(model: VideoModel, files: BuiltFiles, say: Say) -> Executor:
    return OnnxExecutor(model, OnnxNetwork(exported_frame(model, files, "float32", say), frame_spec()))


def _graphed(model: VideoModel) -> Executor:
    if not torch.cuda.is_available():
        raise InputError("--backend cudagraph needs an NVIDIA GPU, and torch finds none; use --backend auto")
    device = _device()
    return GraphExecutor("cudagraph", model, device, {1: torch_run(model, device, ON_GPU)}, ON_GPU)


def _built(model: VideoModel, files: BuiltFiles) -> Executor:
    tensorrt.require_tensorrt()
    for stored in _PREFERRED:
        spec = frame_spec(stored)
        engine = files.find(tensorrt.engine_name(spec))
        if engine is not None:
            run = tensorrt.TensorRtNetwork(engine, spec)
            return GraphExecutor(f"tensorrt {stored}", model, _device(), {1: run}, stored)
    raise InputError("TensorRT has built nothing for this GPU yet: agent models build real3d --backend tensorrt")


def _best(model: VideoModel, files: BuiltFiles, say: Say) -> Executor:
    reference = TorchExecutor(model, _device())
    candidates: dict[str, Callable[[], Executor]] = {"onnx": partial(_exported, model, files, say)}
    device = "CPU"
    if torch.cuda.is_available():
        candidates = {"tensorrt": partial(_built, model, files), "cudagraph": partial(_graphed, model)}
        device = torch.cuda.get_device_name()
    verdicts, machine = Verdicts(files), f"{device}, torch {torch.__version__}"
    for name, candidate in candidates.items():
        try:
            executor = candidate()
            db = verdicts.of(f"{executor.name}, {machine}", partial(agreement_db, executor, reference))
        except InputError:
            continue  # not on this machine
        except (AgentError, RuntimeError) as error:
            say(f"backend {name} does not work here: {str(error).splitlines()[0]}")
            continue
        if db >= ENOUGH_DB:
            return executor
        executor.close()
        say(f"backend {name} is passed over: its picture is {db:.1f} dB from the reference's, not {ENOUGH_DB:.0f}")
    return reference


def agreement_db(executor: Executor, reference: Executor) -> float:
    """How near an executor's picture of the trial is to the reference's: PSNR in dB."""
    portrait, drive = trial_portrait(), trial_drive()
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        want = reference.frame(reference.prepare(portrait), *drive)
    return psnr_db(executor.frame(executor.prepare(portrait), *drive), want)
