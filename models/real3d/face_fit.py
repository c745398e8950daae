"""Landmarks -> the face model's parameters: once for a photo, and frame by frame for a person who drives.

Real3D-Portrait lets Adam run 400 steps on each photo, and on a whole clip at once. The objective is a sum of squares,
so Levenberg-Marquardt finds a lower value of it in about ten; a follower takes one or two from the frame before.
"""

import numpy as np
from jaxtyping import Float64

from models.real3d.fit_objective import Coefficients, Objective, photo_objective, video_objective
from models.real3d.landmark_model import (
    COUNT,
    EXPRESSION,
    IDENTITY,
    TRANSLATION,
    LandmarkModel,
    to_coefficients,
    to_parameters,
)

_POSE, _WITHOUT_IDENTITY = TRANSLATION.stop, EXPRESSION.stop  # how many parameters are free
_STEPS, _CONVERGED = 40, 1e-7
_STEPS_LIVE, _CONVERGED_LIVE = 2, 1e-2
_CHANGE_OF_EXPRESSION = 5.0  # weight of the mean square, from frame to frame
_CHANGE_OF_DISTANCE = 30.0  # of the square: landmarks hardly tell it, and it would tremble

Landmarks = Float64[np.ndarray, "468 2"]
Parameters = Float64[np.ndarray, "150"]


def fit_photo(landmarks: Landmarks, model: LandmarkModel) -> Coefficients:
    """Who is seen, with what expression and pose: the minimum of `photo_objective`.

    Args:
        landmarks: as `fit_objective.to_fit` gives them.
        model: whose parameters are looked for.
    """
    descent = _Descent(model, photo_objective(), np.zeros(COUNT), np.zeros(COUNT))
    start = descent.run(np.zeros(COUNT), landmarks, _POSE, _STEPS, _CONVERGED)
    return to_coefficients(descent.run(start, landmarks, COUNT, _STEPS, _CONVERGED))


class FaceFollower:
    """Expression and pose of one person through the frames of a video, each from the frames before alone.

    The minimum of `video_objective` with the identity held, and with a price on changes from the last frame: what
    landmarks tell clearly is followed at once, what they hardly tell comes to rest.
    """

    def __init__(self, model: LandmarkModel, person: Coefficients) -> None:
        """`person`: whose face it is, from `fit_photo`; pose and expression are where the search begins."""
        self._model, self._first = model, to_parameters(person)
        self._last: Parameters | None = None

    def __call__(self, landmarks: Landmarks) -> Coefficients:
        """The fit to the next frame's landmarks, as `fit_objective.to_fit` gives them."""
        if self._last is None:
            descent = _Descent(self._model, video_objective(), np.zeros(COUNT), self._first)
            posed = descent.run(self._first, landmarks, _POSE, _STEPS, _CONVERGED)
            self._last = descent.run(posed, landmarks, _WITHOUT_IDENTITY, _STEPS, _CONVERGED)
        else:
            descent = _Descent(self._model, video_objective(), _price_of_change(), self._last)
            self._last = descent.run(self._last, landmarks, _WITHOUT_IDENTITY, _STEPS_LIVE, _CONVERGED_LIVE)
        return to_coefficients(self._last)

    def reset(self) -> None:
        """Forgets the frames before, as after a cut."""
        self._last = None


def _price_of_change() -> Parameters:
    price = np.zeros(COUNT)
    price[EXPRESSION] = _CHANGE_OF_EXPRESSION / 64
    price[TRANSLATION.stop - 1] = _CHANGE_OF_DISTANCE
    return price


class _Descent:
    """Levenberg-Marquardt on an objective, plus `price * (parameters - stay)**2`."""

    def __init__(
        self,
        model: LandmarkModel,
        objective: Objective,
        price: Parameters,
        stay: Parameters,
    ) -> None:
        self._model, self._price, self._stay = model, price, stay
        self._weights = np.sqrt(objective.weights / (2 * len(objective.weights)))
        self._size = np.zeros(COUNT)  # weight of each parameter's square
        self._size[EXPRESSION] = objective.expression / 64
        self._size[IDENTITY] = objective.identity / 80

    def run(self, start: Parameters, landmarks: Landmarks, free: int, steps: int, converged: float) -> Parameters:
        """The parameters after at most `steps` steps, or as soon as one gains less than the part `converged`."""
        now, damping = start, 1e-3
        value, gradient, curvature = self._terms(now, landmarks, free)
        for step in range(steps):
            damped = curvature + damping * np.diag(np.diagonal(curvature))
            tried = now.copy()
            tried[:free] -= np.linalg.solve(damped, gradient)
            gain = value - self._value(tried, self._model.seen(tried) - landmarks)
            if gain > 0:
                now, damping = tried, 0.1 * damping
            else:
                damping *= 10
            if abs(gain) <= converged * value or step == steps - 1:
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
        gradient += (self._size * now + self._price * (now - self._stay))[:free]
        rough = slopes.astype(np.float32)  # enough for the way; where it ends is told by the gradient
        curvature = rough @ rough.T + np.diag((self._size + self._price)[:free])
        return self._value(now, off), gradient, curvature

    def _value(self, now: Parameters, off: Landmarks) -> float:
        missed = (self._weights**2 @ off**2).sum()
        return float(missed + self._size @ now**2 + self._price @ (now - self._stay) ** 2)
