"""Files in the layout in which GOHA was released, around small networks in place of its own."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from golden.goha_inputs import face_content
from scipy.io import savemat
from torch import Tensor, nn

from models.checkpoint import entries_under
from models.goha.importing import Given, Released, request
from models.goha.needs import COEFFICIENTS, NETWORKS
from models.importing import Import, Network
from models.weight_store import WeightStore


def _small_networks() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def _small_coefficients() -> nn.Module:
    return nn.ModuleDict({"backbone": nn.Linear(5, 2)})


SMALL = Released(
    Network(NETWORKS, _small_networks, entries_under("model_state_dict"), "iter"),
    Network(COEFFICIENTS, _small_coefficients, entries_under("net_recon"), "epoch"),
)


def entries(network: Network, seed: int = 0) -> dict[str, Tensor]:
    """Random values for every entry."""
    random = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(value.shape, generator=random) if value.is_floating_point() else torch.tensor(7)
        for name, value in network.expected().items()
    }


def save_checkpoint(folder: Path, model: dict[str, Any] | None = None) -> Path:
    """As the trainer does it, beside a network of the training."""
    path = folder / "s3" / "checkpoint825000.ckpt"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "iter": 825_000,
        "model_state_dict": OrderedDict(entries(SMALL.networks) if model is None else model),
        "discriminator_dict": OrderedDict(weight=torch.ones(3)),
    }
    torch.save(content, path)
    return path


def save_coefficients(folder: Path) -> Path:
    """As Deep3DFaceRecon's trainer does it, with its optimiser."""
    path = folder / "epoch_20.pth"
    path.parent.mkdir(parents=True, exist_ok=True)
    adam = {"state": {0: {"step": 3, "exp_avg": torch.ones(4)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    torch.save({"net_recon": entries(SMALL.coefficients), "opt_00": adam, "sched_00": {"last_epoch": 20}}, path)
    return path


def save_face_model(path: Path) -> Path:
    savemat(path, face_content())
    return path


def bring(given: Given, store: WeightStore) -> int:
    """Imports; returns how many bytes the progress heard of."""
    heard: list[int] = []
    Import(request(given, SMALL)).run(store, heard.append)
    return sum(heard)
