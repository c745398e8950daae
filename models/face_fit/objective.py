"""What a fit of the face model to landmarks makes small: the objective of Real3D-Portrait."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.topology import (
    INNER_LIPS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    OUTER_LIPS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    SURFACE_COUNT,
)

SIDE = 224
"""Of the picture that fits measure in, pixels; x right, y up, the picture's corner at 0, 0."""
IGNORED = np.array([93, 127, 132, 234, 323, 356, 361, 454])
"""Landmarks of the outline that no fit counts."""
_LIDS = np.concatenate([RIGHT_UPPER_LID, RIGHT_LOWER_LID, LEFT_UPPER_LID, LEFT_LOWER_LID])
_UPPER_LIDS = np.concatenate([RIGHT_UPPER_LID[2:-2], LEFT_UPPER_LID[2:-2]])
_LIPS = np.concatenate([INNER_LIPS, OUTER_LIPS])


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """The face model's parameters for one picture."""

    identity: Float32[np.ndarray, "80"]
    """About N(0, 1)."""
    expression: Float32[np.ndarray, "64"]
    euler: Float32[np.ndarray, "3"]
    """Radians about x, y and z, see `models.camera.row_rotation`."""
    translation: Float32[np.ndarray, "3"]
    """Decimetres."""


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """Weighted mean square of what landmarks are off, square pixels, plus weighted mean squares of coefficients."""

    weights: Float64[np.ndarray, "468"]
    """Of the landmarks."""
    identity: float
    """Of the mean square of identity coefficients."""
    expression: float
    """Of the mean square of expression coefficients."""

    def __call__(self, off: Float64[np.ndarray, "468 2"], fit: Coefficients) -> float:
        """The value that `fit` has, whose landmarks are so far `off`."""
        rest = self.identity * np.mean(fit.identity**2) + self.expression * np.mean(fit.expression**2)
        return float(np.mean(self.weights[:, None] * off**2) + rest)


def photo_objective() -> Objective:
    """Of a single picture."""
    weights = np.ones(SURFACE_COUNT)
    weights[_LIDS], weights[_LIPS], weights[IGNORED] = 5.0, 2.0, 0.0
    return Objective(weights, identity=0.3, expression=0.05)


def video_objective() -> Objective:
    """Of a picture of a video, whose person is known."""
    weights = np.ones(SURFACE_COUNT)
    weights[_LIDS], weights[_UPPER_LIDS], weights[_LIPS], weights[IGNORED] = 3.0, 20.0, 5.0, 0.0
    return Objective(weights, identity=0.2, expression=0.6)


def to_fit(landmarks: Float32[np.ndarray, "478 3"], side: int) -> Float64[np.ndarray, "468 2"]:
    """Landmarks in a square picture of `side` pixels (as `models.landmarks` gives them) as fits measure them."""
    xy = landmarks[:SURFACE_COUNT, :2].astype(np.float64)
    return np.stack([xy[:, 0], side - xy[:, 1]], axis=1) * (SIDE / side)


def project(posed: Float[np.ndarray, "*t n 3"]) -> Float64[np.ndarray, "*t n 2"]:
    """Posed vertices as fits measure them."""
    away = CAMERA_DISTANCE - posed[..., 2:].astype(np.float64)
    return SIDE * (0.5 + FOCAL * posed[..., :2] / away)
