"""Our motions in the expression coefficients of the Basel face model: how networks follow a tracked face."""

import numpy as np
from jaxtyping import Float32

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.face import FaceModel
from models.face_fit.landmarked_face import LandmarkedFace
from models.face_fit.objective import SIDE, photo_objective
from models.motion import Motion
from models.pose import Pose
from models.topology import SURFACE_COUNT

_DEPTH_WEIGHT = 0.3  # of squares: trackers guess depth
_FARTHEST = 0.25  # eye distances; nine clips leave at most 0.22 to the surface: what is beyond was mistracked
_PX = SIDE * FOCAL / CAMERA_DISTANCE
"""Of a decimetre at the head's distance, in the picture that fits measure in."""


class FaceFollower:
    """The face model laid over each motion's landmarks: where its coefficients and its surface take them.

    Who it is and how the head is held are known, so landmarks depend on the expression linearly, and a single
    Gauss-Newton step from anywhere ends at the minimum of the photo fit's objective. Nothing is kept from frame to
    frame: no look-ahead, nothing to reset after a gap, and no jump where a surface comes or goes little by little.
    """

    def __init__(self, face: LandmarkedFace, own: FaceModel, aligned: Pose) -> None:
        """`own`: the model that motions count in; `aligned` takes its mean to that of `face`."""
        objective = photo_objective()
        bases = face.model.expression[:, face.landmarks468].astype(np.float64).reshape(len(face.model.expression), -1)
        weights = np.outer(objective.weights, [1, 1, _DEPTH_WEIGHT]).ravel() * _PX**2 / (2 * SURFACE_COUNT)
        price = objective.expression / len(bases)
        solution = np.linalg.solve((weights * bases) @ bases.T + price * np.eye(len(bases)), weights * bases)
        turned = aligned.scale * solution.reshape(-1, SURFACE_COUNT, 3) @ aligned.rotation
        self._of_surface = turned.reshape(len(bases), -1).astype(np.float32)
        shapes = own.expression[:, :SURFACE_COUNT].reshape(len(own.expression), -1)
        self._of_shapes: Float32[np.ndarray, "64 64"] = self._of_surface @ shapes.T

    def __call__(self, motion: Motion) -> Float32[np.ndarray, "64"]:
        """The coefficients of BFM 2009; the motion's head and confidence are not looked at."""
        out = self._of_shapes @ motion.expression
        if motion.surface is not None:
            out += self._of_surface @ _believable(motion.surface[:SURFACE_COUNT]).ravel()
        return np.asarray(out, np.float32)


def _believable(surface: Float32[np.ndarray, "468 3"]) -> Float32[np.ndarray, "468 3"]:
    """The whole surface made smaller where a point of it lies too far off."""
    farthest = float(np.sqrt(np.einsum("pi,pi->p", surface, surface).max()))
    return surface * np.float32(_FARTHEST / max(farthest, _FARTHEST))
