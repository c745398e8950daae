"""Files in the layout in which Real3D-Portrait was released, around small networks in place of its own."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from golden.face_file import bfm_content
from scipy.io import savemat
from torch import Tensor, nn

from models.checkpoint import network_entries
from models.face import load_face_model
from models.importing import Import, Network
from models.real3d.importing import Released, request
from models.real3d.needs import AUDIO, VIDEO
from models.real3d.release import Given, step_of
from models.weight_store import WeightStore

VIDEO_FOLDER, AUDIO_FOLDER = "secc2plane_torso_orig", "audio2secc_vae"


def _small_video() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def _small_audio() -> nn.Module:
    return nn.ModuleDict({"mel_encoder": nn.Linear(5, 2)})


NETWORKS = (
    Released(Network(VIDEO, _small_video, network_entries, "global_step", step_of), VIDEO_FOLDER),
    Released(Network(AUDIO, _small_audio, network_entries, "global_step", step_of), AUDIO_FOLDER),
)


def entries(network: Network, seed: int = 0) -> dict[str, Tensor]:
    """Random values for every entry."""
    random = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(value.shape, generator=random) if value.is_floating_point() else torch.tensor(7)
        for name, value in network.expected().items()
    }


def save_checkpoint(path: Path, model: dict[str, Any], *, step: int = 7, zipped: bool = False) -> Path:
    """As the trainer does it: in torch's older format, with optimisers, a second network and a best result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    adam = {"state": {0: {"step": 3, "exp_avg": torch.ones(4)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    content = {
        "epoch": 3,
        "global_step": step,
        "checkpoint_callback_best": np.float64(0.25),
        "optimizer_states": [adam],
        "state_dict": {"model": OrderedDict(model), "disc": OrderedDict(weight=torch.ones(3))},
    }
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def save_release(folder: Path, seed: int = 0) -> Path:
    """Both networks, 100000 and 400000 steps."""
    video, audio = (released.network for released in NETWORKS)
    save_checkpoint(folder / VIDEO_FOLDER / "model_ckpt_steps_100000.ckpt", entries(video, seed), step=100_000)
    save_checkpoint(folder / AUDIO_FOLDER / "model_ckpt_steps_400000.ckpt", entries(audio, seed), step=400_000)
    return folder


def save_face_model(path: Path) -> Path:
    savemat(path, bfm_content(load_face_model()))
    return path


def bring(given: Given, store: WeightStore, released: Sequence[Released] = NETWORKS) -> int:
    """Imports; returns how many bytes the progress heard of."""
    heard: list[int] = []
    Import(request(given, released)).run(store, heard.append)
    return sum(heard)
