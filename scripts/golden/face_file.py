"""A stand-in for the licensed Basel file: our own face in that file's layout, axes and unit."""

from typing import Any

import numpy as np

from golden.goha_inputs import around
from models.face import FaceModel

UNIT = 0.92
"""Decimetres per canonical unit."""
OFFSET = np.array([0.3, -0.2, 0.5])
FLIP = np.array([1.0, -1.0, -1.0])
"""Canonical axes -> those of the file."""


def mixing() -> np.ndarray:
    """Orthogonal [64, 64]: shape k of the file is the sum of mixing[k, j] * our shape j."""
    return np.asarray(np.linalg.qr(np.random.default_rng(7).standard_normal((64, 64)))[0])


def bfm_content(model: FaceModel) -> dict[str, Any]:
    """What `scipy.io.savemat` wants."""
    expression = np.tensordot(mixing(), model.expression, 1)
    return {
        "meanshape": (UNIT * model.mean * FLIP + OFFSET).reshape(1, -1).astype(np.float32),
        "idBase": (UNIT * model.identity * FLIP).reshape(80, -1).T.astype(np.float32),
        "exBase": (UNIT * expression * FLIP).reshape(64, -1).T.astype(np.float32),
        "tri": model.triangles.astype(np.int64) + 1,
        "keypoints": (model.keypoints68.astype(np.int64) + 1)[None],
        "meantex": np.full((1, 3 * len(model.mean)), 128.0),
        "skinmask": np.ones((1, len(model.mean))),
    }


def goha_content(model: FaceModel) -> dict[str, Any]:
    """The same with what GOHA reads besides: grey in every person, and the triangles at each vertex."""
    content = bfm_content(model)
    count = len(model.mean)
    return content | {
        "texBase": np.zeros((3 * count, 80), np.float32),
        "point_buf": around(content["tri"] - 1, count) + 1,
    }
