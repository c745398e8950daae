"""Talk3D's own networks from the checkpoint that its trainer wrote, its optimiser and scheduler in it as objects."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from models.checkpoint import read_content
from models.errors import InputError
from models.talk3d.conditions import Conditions
from models.talk3d.delta_planes import DeltaPlanePredictor
from models.talk3d.size import STAGES, GeneratorSize, StageWidths

STEP = "iter"
"""Entry that says how long it was trained."""
TUNED = "_tune.pt"
"""How the name of a checkpoint ends whose last network was trained, too; what others hold of it was never."""

PREDICTOR = "deltaplane_predictor."
"""How its entries begin."""

_PARTS = {
    "deltaplane_predictor": PREDICTOR,
    "audio_net": "conditions.audio_net.",
    "audio_att_net": "conditions.audio_att_net.",
    "blink_encoder": "conditions.blink_encoder.",
    "camera_encoder": "conditions.camera_encoder.",
}
_NULL, _DRAWER = "null_vector", "superresolution"
_OBJECTS = ("torch.optim.adam.Adam", "torch.optim.lr_scheduler.StepLR")


class Driver(nn.Module):
    """The networks of a checkpoint, under the names that `Talk3D` has for them."""

    def __init__(self, side: int = GeneratorSize().planes, widths: StageWidths = STAGES) -> None:
        """See `DeltaPlanePredictor`."""
        super().__init__()
        self.deltaplane_predictor = DeltaPlanePredictor(side, widths)
        self.conditions = Conditions()


def read_checkpoint(path: Path) -> Any:
    """What is in it. Nothing is executed. Raises InputError, in one line, for one that is of another kind."""
    content = read_content(path, _OBJECTS)
    if not isinstance(content, dict) or not all(isinstance(content.get(part), dict) for part in _PARTS):
        raise InputError(f"{path} is not a checkpoint of Talk3D: {', '.join(_PARTS)} are not all in it")
    return content


def driver_entries(content: Any, path: Path) -> dict[str, Any]:
    """Of `Driver`."""
    entries = {f"{prefix}{name}": values for part, prefix in _PARTS.items() for name, values in content[part].items()}
    null = content.get(_NULL)
    return entries | ({f"conditions.{_NULL}": null.detach()} if isinstance(null, Tensor) else {})


def drawer_entries(content: Any, path: Path) -> dict[str, Any]:
    """Of the network that draws the picture. Raises InputError if there is none; `path` is for the message."""
    drawer = content.get(_DRAWER)
    if not isinstance(drawer, dict):
        raise InputError(f"{path} holds no {_DRAWER}, though its name ends with {TUNED}; name it otherwise")
    return dict(drawer)
