"""Talk3D's own networks from the checkpoint that its trainer wrote, its optimiser and scheduler in it as objects."""

from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from models.checkpoint import read_content
from models.errors import InputError

PARTS = {
    "deltaplane_predictor": "deltaplane_predictor.",
    "audio_net": "conditions.audio_net.",
    "audio_att_net": "conditions.audio_att_net.",
    "blink_encoder": "conditions.blink_encoder.",
    "camera_encoder": "conditions.camera_encoder.",
}
"""Entries of a checkpoint, and what `Talk3D` puts before their weights' names."""
NULL, DRAWER = "null_vector", "superresolution"
TUNED = "_tune.pt"
"""How the name of a checkpoint ends whose last network was trained, too; what others hold of it was never."""
_OBJECTS = ("torch.optim.adam.Adam", "torch.optim.lr_scheduler.StepLR")


class Checkpoint(NamedTuple):
    """What a trainer's file holds."""

    entries: dict[str, Any]
    """Under the names of `Talk3D`, whatever they are."""
    drawer: dict[str, Any] | None
    """Of the network that draws the picture, under its own names, where it was trained with the others."""
    step: int | None


def read_checkpoint(path: Path) -> Checkpoint:
    """Nothing in the file is executed. Raises InputError, in one line, for one that is of another kind."""
    content = read_content(path, _OBJECTS)
    if not isinstance(content, dict) or not all(isinstance(content.get(part), dict) for part in PARTS):
        raise InputError(f"{path} is not a checkpoint of Talk3D: {', '.join(PARTS)} are not all in it")
    entries = {f"{prefix}{name}": values for part, prefix in PARTS.items() for name, values in content[part].items()}
    if isinstance(null := content.get(NULL), Tensor):
        entries[f"conditions.{NULL}"] = null.detach()
    drawer, step = content.get(DRAWER), content.get("iter")
    tuned = drawer if path.name.endswith(TUNED) and isinstance(drawer, dict) else None
    return Checkpoint(entries, tuned, step if isinstance(step, int) else None)
