"""Engines by name."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from agent.config import ENGINES, BackendName, EngineName
from models.errors import InputError
from models.real3d.needs import VIDEO, VIDEO_FILE
from models.weights import PARTS, Missing, Weights, built_folder, find
from runtime.engines import Engine
from runtime.engines.builtin import BuiltinEngine

if TYPE_CHECKING:
    from models.real3d.video_model import VideoModel


def open_engine(
    name: str, backend: BackendName = "auto", say: Callable[[str], None] = lambda line: None
) -> Engine[Any]:
    """The engine of `--engine` on the backend of `--backend`; `say` hears about slow work.

    Raises:
        InputError: there is none of that name, its weights are not there, or this machine has no such backend.
    """
    match name:
        case "builtin":
            if backend != "auto":
                raise InputError(f"--backend {backend}: the engine builtin runs no networks; leave --backend out")
            return BuiltinEngine()
        case "real3d":
            weights, model = load_real3d()
            from models.real3d.face import load_real3d_face
            from models.real3d.open_executor import open_executor
            from models.real3d.state_store import default_states
            from runtime.engines.real3d import Real3dEngine

            face = load_real3d_face(weights.folder)
            executor = open_executor(backend, model, face, built_folder(name), say)
            return Real3dEngine(weights, face, executor, say, default_states(weights.digests[VIDEO_FILE]))
        case _:
            raise InputError(f"there is no engine {name}; give one of {', '.join(ENGINES)}")


def usable_engines() -> tuple[EngineName, ...]:
    """Those that `open_engine` would open: their weights are there, and what runs them."""
    return tuple(name for name in ENGINES if name not in PARTS or _is_usable(name))


def _is_usable(engine: EngineName) -> bool:
    try:
        return isinstance(find(engine), Weights) and all(map(find_spec, ("torch", "safetensors")))
    except InputError:  # there is no folder for weights
        return False


def load_real3d() -> tuple[Weights, "VideoModel"]:
    """The weights that the user brought in, and the video model with them, on the CPU.

    Raises InputError: they are not there, damaged, or another program's; or torch is not there.
    """
    weights = find("real3d")
    if isinstance(weights, Missing):
        raise weights.error()
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from models.real3d.video_model import load_video_model
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise InputError("the engine real3d needs torch: .venv/bin/pip install -e '.[neural]'") from None
    path = weights.folder / VIDEO_FILE
    try:
        return weights, load_video_model(load_file(path))
    except (OSError, RuntimeError, SafetensorError):  # RuntimeError: other names or shapes
        raise InputError(
            f"{path} is damaged or not this version's; `agent models list --verify` tells, and "
            f"`agent models import real3d {VIDEO.option} ...` brings it in anew"
        ) from None
