"""Inputs behind the golden numbers of GOHA: smooth random pictures and planes, two cameras, a face without a face."""

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.io import savemat
from torch import Tensor
from torch.nn import functional

from golden.fill import generator
from models.goha.face import GohaFace, load_goha_face

FOLDER = Path(__file__).parents[2] / "tests" / "models" / "goha"
GOLDEN, MANIFEST, COEFFICIENT_MANIFEST = (
    FOLDER / name for name in ("golden.npz", "manifest.txt", "manifest_coefficients.txt")
)
_FACE_SIDE = 41


def _smooth(values: np.ndarray, side: int) -> Tensor:
    rough = torch.from_numpy(values.astype(np.float32))
    return functional.interpolate(rough, (side, side), mode="bilinear", align_corners=False)


def image(name: str, side: int = 512) -> Tensor:
    """[1, 3, side, side], -1..1."""
    return _smooth(generator(f"image/{name}").uniform(-1, 1, (1, 3, 16, 16)), side)


def planes() -> Tensor:
    """[1, 3, 32, 256, 256]."""
    return _smooth(200 * generator("planes/base").standard_normal((3, 32, 32, 32)), 256)[None]


def points() -> Tensor:
    """[1, 256, 3]: places in and just outside the cube."""
    return torch.from_numpy(generator("pts").uniform(-0.6, 0.6, (1, 256, 3)).astype(np.float32))


def camera(yaw_rad: float, pitch_rad: float) -> Tensor:
    """[1, 25]: looks at the origin from a distance of 2.7."""
    flat = math.cos(pitch_rad)
    place = 2.7 * np.array([math.sin(yaw_rad) * flat, math.sin(pitch_rad), math.cos(yaw_rad) * flat])
    ahead = -place / np.linalg.norm(place)
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3] = np.stack([right, np.cross(ahead, right), ahead, place], 1)
    lens = (4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1)
    return torch.from_numpy(np.concatenate([pose.ravel(), lens]).astype(np.float32))[None]


SOURCE_CAMERA, TARGET_CAMERA = camera(-0.25, 0.10), camera(0.30, -0.05)


def keep() -> Tensor:
    """[1, 1, 512, 512]: a mask, 0 in two rectangles."""
    mask = torch.ones(1, 1, 512, 512)
    mask[..., 180:230, 120:390] = 0
    mask[..., 330:400, 190:320] = 0
    return mask


def classes() -> Tensor:
    """[1, 19, 512, 512]: random squares, each of one class alone."""
    squares = torch.from_numpy(generator("labels").integers(0, 19, (1, 16, 16)))
    numbers = squares.repeat_interleave(32, 1).repeat_interleave(32, 2)
    return functional.one_hot(numbers, 19).permute(0, 3, 1, 2).float()


def coefficients() -> Tensor:
    """[1, 257]: a moderate face, little turned."""
    row = 0.5 * generator("synth_coeffs").standard_normal((1, 257))
    row[:, 224:227] = (0.10, -0.20, 0.05)
    row[:, 227:254] *= 0.1
    row[:, 254:] = (0.02, -0.05, 0.1)
    return torch.from_numpy(row.astype(np.float32))


def frontal() -> Tensor:
    """[1, 257]: what the network of the whole frame reads off the portrait that is taken for frontal."""
    with np.load(GOLDEN) as golden:
        return torch.from_numpy(golden["inputs/frontal"])


def face() -> GohaFace:
    """A bump of 41 x 41 vertices with random shapes and colours, read from a file as the licensed one is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "BFM_model_front.mat"
        savemat(path, face_content())
        return load_goha_face(path)


def face_content() -> dict[str, Any]:
    """The arrays of that file."""
    random, count = generator("synth_face_model"), _FACE_SIDE**2
    x, y = np.meshgrid(*2 * (np.linspace(-1, 1, _FACE_SIDE),))
    mean = 0.62 * np.stack([0.8 * x, y, 0.6 * np.exp(-(x**2 + 1.3 * y**2) * 1.2)], -1)
    number = np.arange(count).reshape(_FACE_SIDE, _FACE_SIDE)
    a, b, c, d = (number[rows, columns].ravel() for rows in (_LOW, _HIGH) for columns in (_LOW, _HIGH))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    return {
        "meanshape": mean.reshape(1, -1),
        "idBase": 0.01 * random.standard_normal((3 * count, 80)),
        "exBase": 0.01 * random.standard_normal((3 * count, 64)),
        "meantex": random.uniform(60, 220, (1, 3 * count)),
        "texBase": 2.0 * random.standard_normal((3 * count, 80)),
        "tri": triangles + 1,
        "point_buf": around(triangles, count) + 1,
        "keypoints": (np.arange(68) * 20 + 1)[None],
    }


_LOW, _HIGH = slice(None, -1), slice(1, None)


def around(triangles: np.ndarray, count: int) -> np.ndarray:
    """[count, 8]: the first eight triangles at each vertex; the number after the last where there are fewer."""
    out = np.full((count, 8), len(triangles))
    found = np.zeros(count, int)
    for number, corners in enumerate(triangles):
        for vertex in corners:
            if found[vertex] < 8:
                out[vertex, found[vertex]] = number
                found[vertex] += 1
    return out
