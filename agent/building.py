"""What `agent models build` does: an engine's frame network, exported and built for this machine."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config import ModelsBuild
from agent.engines import load_real3d
from models.errors import InputError
from models.weights import built_folder

if TYPE_CHECKING:
    from models.real3d.networks import Stored

_STORED: dict[str, "Stored"] = {"fp16": "float16", "bf16": "bfloat16", "fp32": "float32"}


def build(config: ModelsBuild, say: Callable[[str], None], progress: Callable[[str, int, int], bool]) -> Path:
    """Exports and builds; returns the file.

    Args:
        config: of the command.
        say: hears about slow work.
        progress: hears a phase of the build, its steps that are done, and all of its steps; False ends the build.

    Raises:
        InputError: weights, TensorRT or a GPU are missing, or the backend has no such precision.
        AgentError: TensorRT cannot build the network.
    """
    if config.backend == "onnx" and config.precision not in (None, "fp32"):
        raise InputError(f"--precision {config.precision}: --backend onnx exports in fp32; leave --precision out")
    _, model = load_real3d()
    from models.backends.verdict import Verdicts
    from models.real3d.open_executor import build_engine, built_files, exported_frame

    files = built_files(model, built_folder(config.engine))
    Verdicts(files).forget()
    if config.backend == "onnx":
        return exported_frame(model, files, "float32", say)
    return build_engine(model, files, _STORED[config.precision or "fp16"], say, progress)
