"""Inputs behind the golden numbers of Real3D-Portrait: coloured squares, random classes and points."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from golden.fill import generator
from models.real3d.video_model import PortraitParts

FOLDER = Path(__file__).parents[2] / "tests" / "models" / "real3d"
GOLDEN, MANIFEST = FOLDER / "golden.npz", FOLDER / "manifest.txt"
SIDE = 512


def _squares(name: str, count: int) -> Tensor:
    """[1, 3, 512, 512]: `count` x `count` squares of random colours, -1..1."""
    colours = generator(f"input:{name}").uniform(-1, 1, (1, 3, count, count))
    return torch.from_numpy(np.kron(colours, np.ones((SIDE // count,) * 2)).astype(np.float32))


def _segments() -> Tensor:
    classes = np.kron(generator("input:segmap").integers(0, 6, (16, 16)), np.ones((32, 32), np.int64))
    return torch.from_numpy((classes == np.arange(6)[:, None, None])[None].astype(np.float32))


def _key_points() -> tuple[Tensor, Tensor]:
    random = generator("input:kp")
    source = random.uniform(-0.8, 0.8, (1, 68, 2))
    driving = np.clip(source + 0.1 * random.standard_normal((1, 68, 2)), -1, 1)
    flat = np.zeros((1, 68, 1))
    first, second = (torch.from_numpy(np.concatenate([p, flat], -1).astype(np.float32)) for p in (source, driving))
    return first, second


SOURCE_POINTS, DRIVING_POINTS = _key_points()


def portrait() -> PortraitParts:
    """What is known of the portrait."""
    return PortraitParts(
        head=_squares("ref_head_img", 16),
        torso=_squares("ref_torso_img", 16),
        background=_squares("bg_img", 8),
        segments=_segments(),
        key_points=SOURCE_POINTS,
        pncc_canonical=_squares("cond_cano", 32),
        pncc_source=_squares("cond_src", 32),
    )


def pncc_target() -> Tensor:
    """The driven face."""
    return _squares("cond_tgt", 32)


def camera() -> Tensor:
    """[1, 25]: a little to the side of the head."""
    with np.load(GOLDEN) as golden:
        return torch.from_numpy(golden["inputs/camera"])


def points() -> Tensor:
    """[1, 512, 3]: places in and just outside the cube."""
    return torch.from_numpy(generator("input:points").uniform(-0.55, 0.55, (1, 512, 3)).astype(np.float32))
