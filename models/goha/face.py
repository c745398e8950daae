"""The face model as GOHA draws it: with colours, and with the triangles around each vertex, which make its normal."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32

from models.bfm import load_bfm, read_arrays
from models.errors import InputError
from models.face import load_face_model
from models.face_fit.correspondence import nearest_vertices
from models.morphable import MorphableModel

_KEYS = ("meantex", "texBase", "point_buf")
_AROUND = 8
"""Triangles that the file lists for each vertex."""
_LEVELS = 255.0


@dataclass(frozen=True, slots=True, eq=False)
class GohaFace:
    """The face model and its colours; every array is read-only."""

    model: MorphableModel
    """Unit and axes as in `models.bfm.load_bfm`."""
    texture_mean: Float32[np.ndarray, "n 3"]
    """Colours of the mean face, about 0..1, RGB."""
    texture: Float32[np.ndarray, "80 n 3"]
    """What each coefficient adds to them."""
    landmarks468: Int32[np.ndarray, "468"]
    """Vertices at mediapipe's landmarks, found by laying our own face over it."""
    around: Int32[np.ndarray, "n 8"]
    """Numbers of the triangles at each vertex; where there are fewer than eight, the number after the last."""


def load_goha_face(path: Path) -> GohaFace:
    """Reads `BFM_model_front.mat`, which a user brings (nothing of it comes with this package).

    Raises InputError: it is missing, damaged, or of another layout; one line.
    """
    model = load_bfm(path)
    content = read_arrays(path, _KEYS)
    if faults := _faults(content, model):
        raise InputError(f"{path} is not a BFM_model_front.mat: {'; '.join(faults)}")
    face = GohaFace(
        model=model,
        texture_mean=(content["meantex"].reshape(-1, 3) / _LEVELS).astype(np.float32),
        texture=np.ascontiguousarray(content["texBase"].T / _LEVELS, np.float32).reshape(80, -1, 3),
        landmarks468=nearest_vertices(load_face_model(), model),
        around=(content["point_buf"].astype(np.int64) - 1).astype(np.int32),
    )
    for array in (face.texture_mean, face.texture, face.landmarks468, face.around):
        array.flags.writeable = False
    return face


def _faults(content: dict[str, Any], model: MorphableModel) -> list[str]:
    """What is wrong with the arrays, one phrase each."""
    vertices, triangles = len(model.mean), len(model.triangles)
    shapes = {"meantex": (1, 3 * vertices), "texBase": (3 * vertices, 80), "point_buf": (vertices, _AROUND)}
    wrong = [f"{key} is missing" for key in shapes if key not in content]
    for key in content.keys() & shapes.keys():
        values = content[key]
        if values.shape != shapes[key]:
            wrong.append(f"{key} is {values.shape}, not {shapes[key]}")
        elif values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            wrong.append(f"{key} does not hold finite numbers")
        elif key == "point_buf" and not (values.min() >= 1 and values.max() <= triangles + 1):
            wrong.append(f"point_buf names other triangles than 1 to {triangles + 1}")
    return wrong
