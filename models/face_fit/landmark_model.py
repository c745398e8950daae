"""The face model at the landmarks alone: where they come to lie, and how that changes with each parameter."""

import numpy as np
from jaxtyping import Float64

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.camera import row_rotation
from models.face_fit.landmarked_face import LandmarkedFace
from models.face_fit.objective import SIDE, Coefficients, project

EULER, TRANSLATION, EXPRESSION, IDENTITY = slice(0, 3), slice(3, 6), slice(6, 70), slice(70, 150)
"""Where each kind of parameter stands in a vector of them; identity last, so that it can be left out."""
COUNT = 150


def to_parameters(fit: Coefficients) -> Float64[np.ndarray, "150"]:
    """All of a fit in one vector."""
    return np.concatenate([fit.euler, fit.translation, fit.expression, fit.identity]).astype(np.float64)


def to_coefficients(parameters: Float64[np.ndarray, "150"]) -> Coefficients:
    """The opposite of `to_parameters`."""
    p = parameters.astype(np.float32)
    return Coefficients(identity=p[IDENTITY], expression=p[EXPRESSION], euler=p[EULER], translation=p[TRANSLATION])


class LandmarkModel:
    """Landmarks of a face from its parameters, pixels as fits measure them."""

    def __init__(self, face: LandmarkedFace) -> None:
        at = face.landmarks468
        self._mean = face.model.mean[at].T.astype(np.float64)
        bases = np.concatenate([face.model.expression[:, at], face.model.identity[:, at]]).astype(np.float64)
        self._shapes = np.ascontiguousarray(bases.transpose(0, 2, 1))  # shape, axis, landmark

    def landmarks(self, fit: Coefficients) -> Float64[np.ndarray, "468 2"]:
        """Where this face's landmarks are seen."""
        return self.seen(to_parameters(fit))

    def seen(self, parameters: Float64[np.ndarray, "150"]) -> Float64[np.ndarray, "468 2"]:
        """The same from a vector of parameters."""
        return project(self._turned(parameters, row_rotation(parameters[EULER])).T + parameters[TRANSLATION])

    def linearised(
        self, parameters: Float64[np.ndarray, "150"], free: int
    ) -> tuple[Float64[np.ndarray, "468 2"], Float64[np.ndarray, "free 2 468"]]:
        """The landmarks, and how far right and up each of the first `free` parameters moves them per unit."""
        rotation = row_rotation(parameters[EULER])
        turned = self._turned(parameters, rotation)
        x, y, z = turned
        seen = project(turned.T + parameters[TRANSLATION])
        near = 1.0 / (CAMERA_DISTANCE - z - parameters[TRANSLATION][2])
        outwards = (seen.T - SIDE / 2) * near
        moves = np.empty((free, 2, len(z)))
        last = parameters[EULER][2]
        for i, (a, b, c) in enumerate((rotation[0], (-np.sin(last), np.cos(last), 0.0), (0.0, 0.0, 1.0))):
            turns = np.stack([b * z - c * y, c * x - a * z])  # axis x position
            moves[i] = SIDE * FOCAL * near * turns + outwards * (a * y - b * x)
        moves[3:5] = SIDE * FOCAL * near * np.eye(2)[..., None]
        moves[5] = outwards
        shapes = self._shapes[: free - EXPRESSION.start]
        for k in range(2):
            along = SIDE * FOCAL * near * rotation[:, k, None] + outwards[k] * rotation[:, 2, None]
            np.einsum("pal,al->pl", shapes, along, out=moves[EXPRESSION.start :, k])
        return seen, moves

    def _turned(
        self, parameters: Float64[np.ndarray, "150"], rotation: Float64[np.ndarray, "3 3"]
    ) -> Float64[np.ndarray, "3 468"]:
        """The face before it is shifted."""
        return rotation.T @ (self._mean + np.tensordot(parameters[EXPRESSION.start :], self._shapes, 1))
