"""A stand-in for the licensed Basel model: our own face in its axes and unit, nearly as fine, with open eyes."""

from dataclasses import replace
from functools import cache

import numpy as np

from models.face import load_face_model
from models.face_fit.correspondence import eye_triangles
from models.morphable import MorphableModel
from models.real3d.face import Real3dFace

UNIT_DM = 0.92
TIMES = 3
"""Each cuts every triangle into four: 54,000 of them."""


@cache
def dense_face() -> Real3dFace:
    """The face."""
    own = load_face_model()
    flip = UNIT_DM * np.array([1, -1, -1], np.float32)
    mean = own.mean * flip
    model = MorphableModel(
        mean=mean - mean.mean(0),
        identity=own.identity * flip,
        expression=own.expression * flip,
        triangles=own.triangles,
        keypoints68=own.keypoints68,
        ncc=own.ncc,
    )
    landmarks = np.arange(468, dtype=np.int32)
    eyes = eye_triangles(model, landmarks)
    model = replace(model, triangles=np.delete(model.triangles, eyes, axis=0))
    for _ in range(TIMES):
        model = _finer(model)
    return Real3dFace(model, landmarks, model.keypoints68 + np.int32(1), ())


def _finer(model: MorphableModel) -> MorphableModel:
    """With a vertex in the middle of every edge."""
    corners = model.triangles
    edges = np.sort(np.concatenate([corners[:, [1, 2]], corners[:, [2, 0]], corners[:, [0, 1]]]), axis=1)
    halves, numbers = np.unique(edges, axis=0, return_inverse=True)
    a, b, c = corners.T
    bc, ca, ab = (len(model.mean) + numbers.reshape(3, -1)).astype(np.int32)
    parts = ([a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca])

    def with_middles(values: np.ndarray) -> np.ndarray:
        middles = (values[..., halves[:, 0], :] + values[..., halves[:, 1], :]) / 2
        return np.concatenate([values, middles.astype(values.dtype)], axis=-2)

    return replace(
        model,
        mean=with_middles(model.mean),
        identity=with_middles(model.identity),
        expression=with_middles(model.expression),
        ncc=with_middles(model.ncc),
        triangles=np.concatenate([np.stack(part, 1) for part in parts]),
    )
