"""Whether a live face is the one that a profile was made of: proportions of the upper face, apart from pose and play.

What remains of a face after everything that is not the person is taken out: where the head is, how it is turned,
the perspective of the camera, and the movements of the face model. Of that, the person's own variation, as it was
seen during the calibration, counts little. Landmarks tell most people apart, not all: a relative or anybody of the
same proportions passes. This is a guard against mistakes, such as another person's profile or seat, not a lock.
"""

from functools import cache

import numpy as np
from jaxtyping import Float, Float32

from models.expression import EYES
from models.face import load_face_model
from models.motion import INDEX
from models.topology import SURFACE_COUNT

Landmarks = Float[np.ndarray, "478 3"]
Proportions = Float32[np.ndarray, "d"]

FRAMES = 50
"""Frames of a face that a judgement takes: about two seconds."""
SAME_PERSON = 0.0033
"""Distances up to this are the same person's, in eye distances; measured, see `docs/results.md`."""
SAME_AS_PHOTO = 0.004
"""The same where the person is known by one photo, and the variation is the live face's."""

_VARIATIONS = 30
_NOISE = 0.003  # eye distances: what no variation of the person explains
_LOWEST = 0.35  # canonical y: above the mouth, whose shape is mostly play
_NOT_FITTED = ("mouthNeutral", "tongueOut", "jawForward", "residual")


@cache
def identity_points() -> tuple[int, ...]:
    """Landmarks of the upper face without the lids, every other one."""
    mean = load_face_model().mean
    lids = {int(i) for eye in EYES for i in eye.closed}
    return tuple(i for i in range(SURFACE_COUNT) if mean[i, 1] < _LOWEST and i not in lids)[::2]


def proportions(face: Landmarks) -> Proportions:
    """A canonical face without pose, perspective and expression: offsets of `identity_points` from the mean face."""
    points = list(identity_points())
    offset = (face[points] - load_face_model().mean[points]).ravel()
    nuisance = _nuisance()
    return (offset - nuisance @ (nuisance.T @ offset)).astype(np.float32)


def typical(rows: Float32[np.ndarray, "k d"], weights: Float[np.ndarray, "k"]) -> Proportions:
    """The median of the more neutral third."""
    best = np.argsort(-weights, kind="stable")[: max(5, len(rows) // 3)]
    return np.median(rows[best], 0).astype(np.float32)


def variation(rows: Float32[np.ndarray, "k d"]) -> Float32[np.ndarray, "v d"]:
    """The ways in which one person's proportions vary, each as long as its standard deviation; up to 30."""
    _, s, vt = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    count = min(_VARIATIONS, len(rows) - 1)
    return (vt[:count] * (s[:count, None] / np.sqrt(len(rows)))).astype(np.float32)


def distance(live: Proportions, person: Proportions, own: Float32[np.ndarray, "v d"]) -> float:
    """Root mean square over the points, in eye distances; `own` is the person's `variation`."""
    apart = (live - person).astype(np.float64)
    spread = np.linalg.norm(own.astype(np.float64), axis=1)
    axes = own[spread > 0] / spread[spread > 0, None]
    along = axes @ apart
    rest = apart - along @ axes
    squares = rest @ rest + (along**2 * _NOISE**2 / (_NOISE**2 + spread[spread > 0] ** 2)).sum()
    return float(np.sqrt(squares / len(identity_points())))


@cache
def _nuisance() -> Float[np.ndarray, "d n"]:
    """Orthonormal directions of what is not the person: similarity, depth error, perspective, expression."""
    model = load_face_model()
    points = list(identity_points())
    x, y, z = model.mean[points].astype(np.float64).T
    no, one = np.zeros_like(x), np.ones_like(x)
    moves = [
        *((one, no, no), (no, one, no), (no, no, one)),  # shift
        *((x, y, z), (-y, x, no), (z, no, -x), (no, z, -y)),  # scale and turn
        *((z, no, no), (no, z, no)),  # trackers tell depth badly: a turned head is sheared
        (x * z, y * z, z * z),  # a camera that is nearer
    ]
    shapes = [model.expression[i, points].ravel() for name, i in INDEX.items() if not name.startswith(_NOT_FITTED)]
    columns = [np.stack(move, 1).ravel() for move in moves] + shapes
    u, s, _ = np.linalg.svd(np.stack(columns, 1).astype(np.float64), full_matrices=False)
    return u[:, s > 1e-3 * s[0]]
