"""Inputs behind the golden numbers of Talk3D: random numbers, and cameras that the released code made."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from golden.fill import generator
from models.talk3d.conditions import Frame

FOLDER = Path(__file__).parents[2] / "tests" / "models" / "talk3d"
GOLDEN, MANIFEST = FOLDER / "golden.npz", FOLDER / "manifest.txt"

YAW_PITCH = ((0.0, 0.0), (0.3, -0.1), (-0.52, 0.2))
"""Radians."""
SIDE_PX = 512
"""Of the pictures that landmarks lie in."""
_FACE_PX = [[256, 290], [256, 420], [310, 220], [200, 220], [225, 350], [290, 350]]


def normal(name: str, *shape: int) -> Tensor:
    return torch.from_numpy(generator(f"input:{name}").standard_normal(shape).astype(np.float32))


def frame_and_null() -> tuple[Frame, Tensor]:
    """What one frame is made of, and the token of nothing."""
    random = generator("input:tokens")
    drawn = (
        3 * random.standard_normal((8, 44, 16)),
        random.uniform(0, 2, (1, 1)),
        random.uniform(-20, 20, (1, 3)),
        random.uniform(-0.6, 0.6, (1, 3, 2)),
        random.standard_normal((1, 1, 64)),
    )
    sound, eye, angles, landmarks, null = (torch.from_numpy(values.astype(np.float32)) for values in drawn)
    return Frame(sound[None], eye, angles, landmarks), null


def latent() -> Tensor:
    """[512]: the person's."""
    return normal("w_person", 1, 1, 512)[0, 0]


def points() -> Tensor:
    """[1, 20, 3]: places in and just outside the cube."""
    return torch.from_numpy(generator("input:pts").uniform(-0.55, 0.55, (1, 20, 3)).astype(np.float32))


def stored(name: str) -> Tensor:
    """A small result that is stored as a whole, so that what follows begins with the same bits."""
    with np.load(GOLDEN) as golden:
        return torch.from_numpy(golden[f"{name}/sub"])


def camera() -> Tensor:
    """[1, 25]."""
    return stored("field.cameras")[1:2]


def tokens() -> Tensor:
    """[1, 5, 64]."""
    return stored("tokens.all")[None]


def landmarks_px() -> np.ndarray:
    """[6, 6, 2]: a face of six landmarks, six times shaken, in whole pixels."""
    random, face = generator("input:ldm"), np.array(_FACE_PX, np.float32)
    return np.stack([face + random.uniform(-12, 12, face.shape) for _ in range(6)]).astype(np.int32).astype(np.float64)
