"""Landmarks of one face -> its identity: the coefficients of the face model's identity shapes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from models.expression import close_mouth
from models.face import FaceModel
from models.pose import Pose, fit_pose

_ROUNDS = 3  # pose and identity in turn; coefficients change by less than 1e-4 after that
_NOISE = 0.015  # of landmarks, canonical units: what identity shapes are not asked to explain
_DEPTH_NOISE = 0.04  # of their z, which landmarks only guess


@dataclass(frozen=True, slots=True, eq=False)
class IdentityFit:
    """Who is seen, and where the head is."""

    identity: Float32[np.ndarray, "80"]
    """Coefficients of the identity shapes, about N(0, 1)."""
    pose: Pose
    """Of the face with this identity."""


def fit_identity(landmarks: Float[np.ndarray, "478 3"], model: FaceModel) -> IdentityFit:
    """The most likely identity of a face, its mouth closed first; ridge least squares, pose and identity in turn.

    Of expression only an open mouth is accounted for, so a face near rest gives the best answer.

    Args:
        landmarks: pixels, as `models.landmarks` gives them.
        model: whose identity shapes are fitted.
    """
    weights = np.tile([1 / _NOISE, 1 / _NOISE, 1 / _DEPTH_NOISE], model.mean.shape[0])
    shapes = model.identity.reshape(len(model.identity), -1) * weights
    shapes = shapes.astype(np.float64)
    solver = np.linalg.solve(shapes @ shapes.T + np.eye(len(shapes)), shapes)
    identity = np.zeros(len(shapes), np.float32)
    for _ in range(_ROUNDS):
        pose = fit_pose(landmarks, model.shape(identity))
        face = close_mouth(pose.to_canonical(landmarks.astype(np.float64)), model)
        identity = (solver @ (weights * (face - model.mean).ravel())).astype(np.float32)
    return IdentityFit(identity, fit_pose(landmarks, model.shape(identity)))
