"""Trained networks in the layout that Real3D-Portrait was released in, for `agent models import real3d`."""

from pathlib import Path

import torch

from models.real3d.importing import NETWORKS
from models.real3d.needs import VIDEO
from real3d_training.session import read_checkpoint


def export(checkpoint: Path, out: Path) -> Path:
    """Writes the video model of a checkpoint below `out`. Raises InputError if it is none."""
    state = read_checkpoint(checkpoint)
    folder = next(each.folder for each in NETWORKS if each.network.part is VIDEO)
    path = out / folder / f"model_ckpt_steps_{state['step']}.ckpt"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "epoch": 0,
        "global_step": state["step"],
        "optimizer_states": [],
        "state_dict": {"model": state["model"]},
    }
    torch.save(content, path)
    return path
