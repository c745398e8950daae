"""Inputs of the reference numbers in `golden_pre.npz`: a face model without a face, poses, and a drawn person.

Everything comes from numpy's PCG64, seeded by the CRC-32 of a name.
"""

import zlib
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8

VERTICES = 3000
FRAMES = 20
IGNORED = [93, 127, 132, 234, 323, 356, 361, 454]


def generator(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))


def bfm_content() -> dict[str, Any]:
    """In the layout of BFM_model_front.mat."""
    mean = generator("bfm:mean").uniform(-0.9, 0.9, (VERTICES, 3))
    mean[:, 2] = 0.5 - 0.5 * (mean[:, :2] ** 2).sum(1)
    return {
        "meanshape": mean.reshape(1, -1).astype(np.float32),
        "idBase": (0.03 * generator("bfm:id").standard_normal((3 * VERTICES, 80))).astype(np.float32),
        "exBase": (0.02 * generator("bfm:exp").standard_normal((3 * VERTICES, 64))).astype(np.float32),
        "tri": generator("bfm:tri").integers(1, VERTICES + 1, (100, 3)),
        "keypoints": generator("bfm:kp68").integers(1, VERTICES, (1, 68)),
    }


def landmark_vertices() -> Int64[np.ndarray, "468"]:
    """As in index_mp468_from_mesh35709.npy."""
    vertices = generator("bfm:mp468").integers(0, VERTICES, 468)
    vertices[IGNORED] = -1
    return vertices


def tracks() -> dict[str, Float32[np.ndarray, "t n"]]:
    """`id`, `exp`, `euler`, `trans` of 20 frames, and with `fit_` before them of the face to be fitted."""
    g = generator("pose")
    identity = 0.5 * g.standard_normal((FRAMES, 80))
    identity[:] = identity[0]
    values = {
        "id": identity,
        "exp": 0.5 * g.standard_normal((FRAMES, 64)),
        "euler": np.cumsum(0.02 * g.standard_normal((FRAMES, 3)), 0),
        "trans": np.cumsum(0.02 * g.standard_normal((FRAMES, 3)), 0),
        "fit_id": 0.4 * generator("fit:id").standard_normal((1, 80)),
        "fit_exp": 0.4 * generator("fit:exp").standard_normal((1, 64)),
        "fit_euler": np.array([[0.1, -0.2, 0.05]]),
        "fit_trans": np.array([[0.1, -0.05, 0.3]]),
    }
    return {name: value.astype(np.float32) for name, value in values.items()}


def person() -> tuple[UInt8[np.ndarray, "512 512 3"], UInt8[np.ndarray, "512 512"]]:
    """A picture of coloured blocks, and the classes of a person drawn with circles and lines."""
    y, x = np.mgrid[0:512, 0:512]
    classes = np.zeros((512, 512), np.uint8)
    classes[y > 360 + ((x - 256) ** 2) // 900] = 4
    classes[(abs(x - 256) < 50) & (y > 300) & (y < 390)] = 2
    classes[((x - 256) / 105.0) ** 2 + ((y - 200) / 145.0) ** 2 < 1] = 1
    classes[((x - 256) / 85.0) ** 2 + ((y - 220) / 115.0) ** 2 < 1] = 3
    classes[(abs(x - 256) < 90) & (abs(y - 190) < 6)] = 5
    blocks = generator("scene:img").integers(0, 256, (64, 64, 3)).astype(np.uint8)
    return np.kron(blocks, np.ones((8, 8, 1), np.uint8)), classes


def coded_face() -> Float32[np.ndarray, "3 512 512"]:
    """A PNCC-like picture: a disc with two holes for eyes; -1 outside and in the holes."""
    y, x = np.mgrid[0:512, 0:512]
    inside = ((x - 256) / 150.0) ** 2 + ((y - 250) / 190.0) ** 2 < 1
    for centre in (190, 322):
        inside &= ~(((x - centre) / 34.0) ** 2 + ((y - 210) / 13.0) ** 2 < 1)
    codes = np.stack([0.2 + 0.6 * x / 511.0, 0.2 + 0.6 * y / 511.0, 0.5 + 0.3 * np.sin(x / 40.0)])
    return np.where(inside, codes * 2 - 1, -1.0).astype(np.float32)
