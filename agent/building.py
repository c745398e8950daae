"""What `agent models build` does: an engine's frame network, exported and built for this machine."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.models import ModelsBuild
from agent.papers import load_paper
from models.errors import InputError
from models.weights import built_folder

if TYPE_CHECKING:
    from models.backends.paper import Stored

_STORED: dict[str, "Stored"] = {"fp16": "float16", "fp32": "float32"}


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
    paper = load_paper(config.engine)
    from models.backends.open_executor import build_engine, built_files, exported_frame
    from models.backends.verdict import Verdicts

    stored = paper.stored[0] if config.precision is None else _STORED[config.precision]
    if stored not in paper.stored:
        raise InputError(f"--precision {config.precision}: {config.engine} is built in fp32 alone")
    files = built_files(paper, built_folder(config.engine))
    Verdicts(files).forget()
    if config.backend == "onnx":
        return exported_frame(paper, files, "float32", say)
    return build_engine(paper, files, stored, say, progress)
