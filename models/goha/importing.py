"""What an import of GOHA's released files consists of."""

from dataclasses import dataclass
from pathlib import Path

from models.bfm import FACE_MODEL, MODEL_FILE
from models.checkpoint import entries_under
from models.given_files import file_of, first
from models.goha.coefficients import CoefficientNetwork
from models.goha.face import load_goha_face
from models.goha.model import Goha
from models.goha.needs import COEFFICIENTS, NETWORKS
from models.importing import Network, Request, Source
from models.weight_store import Replacement

CHECKPOINTS, COEFFICIENT_FILES = ("checkpoint*.ckpt",), ("epoch_20.pth",)


@dataclass(frozen=True, slots=True)
class Given:
    """What the user has: files, or folders with them."""

    checkpoints: tuple[Path, ...] = ()
    deep3d: Path | None = None
    face_model: Path | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """The networks of the release, and the one that it wants from elsewhere."""

    networks: Network
    coefficients: Network


RELEASED = Released(
    Network(NETWORKS, Goha, entries_under("model_state_dict"), "iter"),
    Network(COEFFICIENTS, CoefficientNetwork, entries_under("net_recon"), "epoch"),
)


def request(given: Given, released: Released) -> Request:
    """Looks for the files; `released` is usually `RELEASED`. Raises InputError for what is not there."""
    checkpoints = [(first(path, CHECKPOINTS, NETWORKS), [released.networks]) for path in given.checkpoints]
    if given.deep3d is not None:
        checkpoints.append((first(given.deep3d, COEFFICIENT_FILES, COEFFICIENTS), [released.coefficients]))
    others = []
    if given.face_model is not None:
        others.append(Source(file_of(given.face_model, FACE_MODEL), FACE_MODEL, MODEL_FILE))

    def check(new: Replacement) -> None:
        if others:
            load_goha_face(new.folder / MODEL_FILE)

    return Request(checkpoints=checkpoints, others=others, check=check)
