"""The small model as executors run it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from models.backends.layout import channels_last
from models.backends.paper import Layout, Painter, Paper, StateKind, Stored
from models.errors import AgentError
from models.face import FaceModel, load_face_model
from models.small.code_picture import CODE_SIDE, CodePainter
from models.small.drive import Drive
from models.small.frame_box import SIDE, Box, box_of
from models.small.frame_network import FrameNetwork
from models.small.image_to_plane import width_of
from models.small.lifting import GRID
from models.small.model import SmallModel
from models.small.portrait_state import PortraitParts, PortraitState, prepare
from models.small.settings import CONDITION, FEATURES, SAMPLES, SIDE_FEATURES
from models.small.torch_code_picture import TorchCodePainter
from models.small.trial import trial
from models.weight_store import sha256

WEIGHTS = Path(__file__).parent.parent / "data" / "small_avatar.safetensors"
STORED: tuple[Stored, ...] = ("float32",)

LAYOUT = Layout(
    state={
        "front": (FEATURES + 2, GRID, GRID),
        "across": (2 * SIDE_FEATURES, GRID, GRID),
        "condition": (CONDITION, GRID, GRID),
        "texture": (4, SIDE, SIDE),
        "skin": (3, CODE_SIDE, CODE_SIDE),
        "codes": (3, CODE_SIDE, CODE_SIDE),
        "places": (4, CODE_SIDE, CODE_SIDE),
    },
    features=(),
    paint=(),
    fresh={"target": (3, CODE_SIDE, CODE_SIDE), "rotation": (3, 3)},
    drive={"canonical": (478, 3), "rotation": (3, 3)},
    picture=(SIDE, SIDE, 4),
)
STATE = StateKind(PortraitState._fields, PortraitState._make, PortraitState.__module__)

SmallPaper = Paper[PortraitParts, PortraitState, Drive]


def load_small_paper() -> tuple[SmallPaper, str]:
    """The networks with the weights that come with the package, and the SHA-256 of these.

    Raises AgentError when their file is missing or damaged.
    """
    return small_paper(_read(WEIGHTS), load_face_model()), sha256(WEIGHTS)


def _read(path: Path) -> SmallModel:
    try:
        return small_model(load_file(path))
    except (OSError, RuntimeError, SafetensorError) as error:  # RuntimeError: other names or shapes
        raise AgentError(f"the weights {path} are damaged ({error}); reinstall the package") from error


def small_model(weights: Mapping[str, Tensor]) -> SmallModel:
    """The networks with weights of any precision. Raises RuntimeError: they are not this network's."""
    model = SmallModel(width_of(weights))
    model.load_state_dict({name: values.float() for name, values in weights.items()})
    return model.eval().requires_grad_(False)


def small_paper(model: SmallModel, face: FaceModel) -> SmallPaper:
    """The networks with weights; `face`: that drives count in."""
    box = box_of(face)

    def at_all_levels(device: torch.device) -> list[nn.Module]:
        return [channels_last(FrameNetwork(model, samples).to(device)) for samples in SAMPLES]

    return Paper(
        name="small",
        model=model,
        layout=LAYOUT,
        state=STATE,
        drive=Drive._make,
        stored=STORED,
        defined_in=("models.small.frame_network",),
        assembled_in=__name__,
        prepare=partial(prepare, model),
        reference=at_all_levels,
        exported=lambda stored: FrameNetwork(model).to(_device_of(model)),
        captured=lambda stored: at_all_levels(_device_of(model)),
        painter=partial(_painter_on, face, box),
        trial=partial(trial, face, box),
    )


def _device_of(model: SmallModel) -> torch.device:
    return next(model.parameters()).device


def _painter_on(face: FaceModel, box: Box, device: torch.device) -> Painter[PortraitState, Drive]:
    """Loops compiled for the CPU there, torch on every other device."""
    if device.type == "cpu":
        paint = CodePainter(face, box)
        return lambda state, drive: (
            torch.stack([torch.from_numpy(paint(points)) for points in drive.canonical.double().numpy()]),
            drive.rotation,
        )
    on_device = TorchCodePainter(face, box, device)
    return lambda state, drive: (on_device(drive.canonical), drive.rotation)
