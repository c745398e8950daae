"""Talk3D's files as trainer and preparation leave them: networks filled by rule, nobody's recording."""

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from golden.generator_pickle import save_generator
from golden.talk3d_fill import fill
from models.talk3d.checkpoint_file import Driver
from models.talk3d.generator import Generator
from models.talk3d.needs import ANGLES_FILE, EYES_FILE, LANDMARKS_FILE, LATENT_FILE, TURNS_FILE
from models.talk3d.recording import POINTS
from models.talk3d.size import GeneratorSize, StageWidths

N = TypeVar("N", bound=nn.Module)
FRAMES = 200
"""Of the recording."""


def filled(network: N, prefix: str = "") -> N:
    """The network with weights made by rule; `prefix`: of its entries in `Talk3D`."""
    entries = network.state_dict()
    weights = fill({_ruled(prefix + name): tuple(values.shape) for name, values in entries.items()}).values()
    network.load_state_dict(dict(zip(entries, map(torch.from_numpy, weights), strict=True)))
    return network.eval().requires_grad_(False)


def _ruled(entry: str) -> str:
    """As the rule names it: its network, a slash, its name there; each of the conditions is a network."""
    parts = entry.split(".")
    network = 2 if parts[0] == "conditions" and len(parts) > 2 else 1
    return f"{'.'.join(parts[:network])}/{'.'.join(parts[network:])}"


def save_driver(path: Path, side: int, widths: StageWidths) -> None:
    """The delta-plane networks; `side`, `widths`: see `Driver`."""
    entries = filled(Driver(side, widths)).state_dict()
    content: dict[str, Any] = {"iter": 0, "null_vector": nn.Parameter(entries.pop("conditions.null_vector"))}
    for name, values in entries.items():
        part, own = name.removeprefix("conditions.").split(".", 1)
        content.setdefault(part, {})[own] = values
    torch.save(content, path)


def save_person(folder: Path, size: GeneratorSize) -> None:
    """A generator of this size, and the recording of a head that turns and blinks."""
    folder.mkdir(parents=True, exist_ok=True)
    save_generator(folder / "G_tune.pkl", filled(Generator(size), "generator."))
    turns = np.sin(np.arange(FRAMES)[:, None] / np.array([17.0, 29.0])) * [0.3, 0.15]
    landmarks = np.zeros((FRAMES, 6, 2))
    landmarks[:, POINTS] = np.array([[0.0, 0.1], [0.2, -0.1], [-0.2, -0.1]]) + 0.5 * turns[:, None]
    arrays = {
        LATENT_FILE: np.random.default_rng(0).standard_normal((1, 512)),
        TURNS_FILE: turns,
        ANGLES_FILE: np.column_stack([turns, turns[:, 0]]) * 60,
        LANDMARKS_FILE: landmarks,
    }
    for name, values in arrays.items():
        torch.save(torch.from_numpy(values.astype(np.float32)), folder / name)
    rows = [f"{k}, {1.5 * (k % 10 == 0)}, 0" for k in range(FRAMES)]
    (folder / EYES_FILE).write_text("\n".join(["frame, AU45_r, AU45_c", *rows]) + "\n")
