"""Papers' networks with the weights that the user brought in; seconds to load, since torch is."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from agent.begun import begun
from models.errors import InputError
from models.goha.needs import COEFFICIENTS, NETWORKS
from models.real3d.needs import VIDEO
from models.talk3d.needs import DRIVER, GENERATOR, RESTORATION
from models.weight_part import Part
from models.weights import Missing, Weights, find, persons_of, store_of

if TYPE_CHECKING:
    from torch import Tensor

    from models.backends.paper import Paper
    from models.goha.face import GohaFace
    from models.goha.paper import GohaPaper
    from models.goha.person_reader import PersonReader
    from models.real3d.face import Real3dFace
    from models.real3d.paper import Real3dPaper
    from models.small.paper import SmallPaper
    from models.talk3d.paper import Talk3dPaper
    from models.talk3d.recording import Recording

T = TypeVar("T")


class Small(NamedTuple):
    """The small model, whose weights come with the package."""

    paper: "SmallPaper"
    digest: str
    """SHA-256 of its weights."""


class Real3d(NamedTuple):
    """Real3D-Portrait."""

    weights: Weights
    face: "Real3dFace"
    paper: "Real3dPaper"


class Goha(NamedTuple):
    """GOHA."""

    weights: Weights
    face: "GohaFace"
    paper: "GohaPaper"
    reader: "PersonReader"


class Talk3d(NamedTuple):
    """Talk3D, of one person."""

    weights: Weights
    recording: "Recording"
    paper: "Talk3dPaper"


def load_paper(engine: str) -> "Paper[Any, Any, Any]":
    """The networks of an engine that has some, on the CPU.

    Raises InputError: its weights are not there, damaged, or another program's; or torch is not there.
    """
    match engine:
        case "small":
            return load_small().paper
        case "real3d":
            return load_real3d().paper
        case "goha":
            return load_goha().paper
        case "talk3d":
            return load_talk3d().paper
        case _:
            raise InputError(f"the engine {engine} runs no networks")


def load_small() -> Small:
    """See `load_paper`; raises AgentError where the package is damaged."""
    _require_torch("small")
    from models.small.paper import load_small_paper

    return Small(*load_small_paper())


def load_real3d() -> Real3d:
    """See `load_paper`."""
    weights = _find("real3d")
    from models.real3d.face import load_real3d_face
    from models.real3d.paper import real3d_paper
    from models.real3d.video_model import load_video_model

    model = _load(weights, VIDEO, load_video_model)
    face = load_real3d_face(weights.folder)
    return Real3d(weights, face, real3d_paper(model, face))


def load_goha() -> Goha:
    """See `load_paper`."""
    weights = _find("goha")
    from models.bfm import MODEL_FILE
    from models.goha.coefficients import load_coefficients
    from models.goha.face import load_goha_face
    from models.goha.model import load_goha
    from models.goha.paper import goha_paper
    from models.goha.person_reader import PersonReader

    model = _load(weights, NETWORKS, load_goha)
    coefficients = None if weights.file(COEFFICIENTS) is None else _load(weights, COEFFICIENTS, load_coefficients)
    face = load_goha_face(weights.folder / MODEL_FILE)
    return Goha(weights, face, goha_paper(model, face), PersonReader(coefficients, model.cano_exemplar))


def load_talk3d(engine: str = "talk3d") -> Talk3d:
    """See `load_paper`; `engine` may say who, see `models.weights.with_person`."""
    weights = _find(engine)
    import torch

    from models.talk3d.model import load_talk3d
    from models.talk3d.paper import talk3d_paper
    from models.talk3d.recording import read_recording

    parts = {"generator": _load(weights, GENERATOR, dict)}
    if weights.file(RESTORATION) is not None:
        parts["restoration"] = _load(weights, RESTORATION, dict)
    others = {f"{part}.{name}": values for part, entries in parts.items() for name, values in entries.items()}
    model = _load(weights, DRIVER, lambda entries: load_talk3d({**others, **entries}))
    recording = read_recording(weights.folder)
    return Talk3d(weights, recording, talk3d_paper(model, torch.from_numpy(recording.latent)))


def _find(engine: str) -> Weights:
    weights = find(engine)
    if isinstance(weights, Missing):
        kind, _, person = engine.partition(":")
        if person and store_of(engine).current().folder is None:
            raise InputError(f"{engine} is not ready: {_nobody(kind, person)}")
        raise weights.error()
    _require_torch(engine)
    return weights


def _nobody(engine: str, person: str) -> str:
    """Why a person cannot be drawn of whom nothing is there, and what to do instead."""
    if person in begun():
        return f"{person} is begun; the agent personalise that began goes on with it"
    known = ", ".join(each.partition(":")[2] for each in persons_of(engine))
    here = f"there is {known}" if known else "there is nobody"
    hint = "; leave --person out for whom agent models import brought in" if isinstance(find(engine), Weights) else ""
    return f"of those made by agent personalise {here}{hint}"


def _require_torch(engine: str) -> None:
    try:
        for package in ("torch", "safetensors"):
            import_module(package)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise InputError(f"the engine {engine} needs torch: .venv/bin/pip install -e '.[neural]'") from None


def _load(weights: Weights, part: Part, load: "Callable[[Mapping[str, Tensor]], T]") -> T:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = weights.folder / part.files[0]
    try:
        return load(load_file(path))
    except (OSError, RuntimeError, SafetensorError):  # RuntimeError: other names or shapes
        raise InputError(
            f"{path} is damaged or not this version's; `agent models list --verify` tells, and "
            f"`agent models import {weights.engine} {part.option} ...` brings it in anew"
        ) from None
