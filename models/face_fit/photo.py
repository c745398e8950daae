"""A photo's landmarks -> the face model's parameters.

Real3D-Portrait lets Adam run 400 steps. The objective is a sum of squares, so Levenberg-Marquardt finds a lower value
of it in about ten.
"""

import numpy as np
from jaxtyping import Float32, Float64

from models.face_fit.landmark_model import (
    COUNT,
    EXPRESSION,
    IDENTITY,
    TRANSLATION,
    LandmarkModel,
    to_coefficients,
)
from models.face_fit.objective import Coefficients, Objective, photo_objective, video_objective

_POSE = TRANSLATION.stop  # how many parameters are free at first
_STEPS, _CONVERGED = 40, 1e-7

Landmarks = Float64[np.ndarray, "468 2"]
Parameters = Float64[np.ndarray, "150"]


def fit_photo(landmarks: Landmarks, model: LandmarkModel) -> Coefficients:
    """Who is seen, with what expression and pose: the minimum of `photo_objective`.

    Args:
        landmarks: as `models.face_fit.objective.to_fit` gives them.
        model: whose parameters are looked for.
    """
    descent = _Descent(model, photo_objective())
    start = descent.run(np.zeros(COUNT), landmarks, _POSE)
    return to_coefficients(descent.run(start, landmarks, COUNT))


def fit_frame(landmarks: Landmarks, model: LandmarkModel, identity: Float32[np.ndarray, "80"]) -> Coefficients:
    """The same of somebody who is known already, in a picture of a video: expression and pose alone."""
    descent = _Descent(model, video_objective())
    start = np.zeros(COUNT)
    start[IDENTITY] = identity
    posed = descent.run(start, landmarks, _POSE)
    return to_coefficients(descent.run(posed, landmarks, IDENTITY.start))


class _Descent:
    """Levenberg-Marquardt on an objective."""

    def __init__(self, model: LandmarkModel, objective: Objective) -> None:
        self._model = model
        self._weights = np.sqrt(objective.weights / (2 * len(objective.weights)))
        self._size = np.zeros(COUNT)  # weight of each parameter's square
        self._size[EXPRESSION] = objective.expression / 64
        self._size[IDENTITY] = objective.identity / 80

    def run(self, start: Parameters, landmarks: Landmarks, free: int) -> Parameters:
        """The parameters after the last step, or as soon as one hardly gains; the first `free` of them move."""
        now, damping = start, 1e-3
        value, gradient, curvature = self._terms(now, landmarks, free)
        for step in range(_STEPS):
            damped = curvature + damping * np.diag(np.diagonal(curvature))
            tried = now.copy()
            tried[:free] -= np.linalg.solve(damped, gradient)
            gain = value - self._value(tried, self._model.seen(tried) - landmarks)
            if gain > 0:
                now, damping = tried, 0.1 * damping
            else:
                damping *= 10
            if abs(gain) <= _CONVERGED * value or step == _STEPS - 1:
                break
            if gain > 0:
                value, gradient, curvature = self._terms(now, landmarks, free)
        return now

    def _terms(
        self, now: Parameters, landmarks: Landmarks, free: int
    ) -> tuple[float, Float64[np.ndarray, "free"], Float64[np.ndarray, "free free"]]:
        """The value, half its gradient, and half its curvature as Gauss and Newton take it."""
        seen, moves = self._model.linearised(now, free)
        off = seen - landmarks
        slopes = (self._weights * moves).reshape(free, -1)
        gradient = slopes @ (self._weights * off.T).ravel()
        gradient += (self._size * now)[:free]
        rough = slopes.astype(np.float32)  # enough for the way; where it ends is told by the gradient
        curvature = rough @ rough.T + np.diag(self._size[:free])
        return self._value(now, off), gradient, curvature

    def _value(self, now: Parameters, off: Landmarks) -> float:
        missed = (self._weights**2 @ off**2).sum()
        return float(missed + self._size @ now**2)
