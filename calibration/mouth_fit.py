"""The mouth of another face model's expression in our coefficients, within their bounds."""

import numpy as np
from jaxtyping import Float, Float32

from calibration.kernels import bounded_solution
from models.face import FaceModel
from models.motion import COEFFICIENTS, INDEX, MOUTH
from models.transfer import ExpressionTransfer

_RIDGE = 1e-4  # of the shapes' mean squared size, as in `expression_transfer`
_BOUNDS, _MOST_SWEEPS, _EXACT = (0.0, 1.0), 300, 1e-4
_RESIDUALS = np.array([name.startswith("residual") for name in COEFFICIENTS])


class MouthFit:
    """Expressions of another model in, mouths out: least squares on the key points. Stateless.

    A linear transfer alone asks for shapes below 0 and above 1 where the two models differ. Of speech in our own
    shapes, bent by a fifth, it loses half of the lips' movement where cut off at the bounds, and a tenth in this fit.
    """

    def __init__(self, transfer: ExpressionTransfer, own: FaceModel) -> None:
        """`transfer`: from the other model to `own`."""
        shapes = own.expression[:, own.keypoints68].astype(np.float64).reshape(len(COEFFICIENTS), -1)
        self._fitted = np.flatnonzero(MOUTH & shapes.any(axis=1))
        mouth, counted = shapes[self._fitted], MOUTH | _RESIDUALS
        gram = mouth @ mouth.T
        self._normal = gram + _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
        self._inverse = np.linalg.inv(self._normal)
        self._wanted = mouth @ shapes[counted].T @ transfer.matrix[counted].astype(np.float64)

    def __call__(self, expression: Float[np.ndarray, "source"]) -> Float32[np.ndarray, "64"]:
        """Coefficients 0..1 of the mouth, `mouthNeutral` 1, all others 0; what brows and eyes do is left out."""
        right_side = self._wanted @ expression
        free = self._inverse @ right_side
        out = np.zeros(len(COEFFICIENTS), np.float32)
        out[self._fitted] = bounded_solution(self._normal, right_side, *_BOUNDS, free, _MOST_SWEEPS, _EXACT)
        out[INDEX["mouthNeutral"]] = 1.0
        return out
