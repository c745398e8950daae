"""What the torso follows: 68 points of the posed face in the picture."""

import numpy as np
from jaxtyping import Float32

from models.camera import row_rotation
from models.face_fit.objective import SIDE, Coefficients, project
from models.real3d.face import Real3dFace


def torso_keypoints(face: Real3dFace, fit: Coefficients) -> Float32[np.ndarray, "68 2"]:
    """Where they are seen: x right, y down, the picture's edges at -1 and 1, which nothing goes beyond.

    The source's are those of its own fit. Those that drive have the source's identity, and expression and pose as they
    are shown; the released tool means them over seven frames, 120 ms late, here drivers have filtered what they follow.
    The networks look at four of them (jaw ends, chin, top of the nose), at depth 0.
    """
    at = face.torso68
    shape = face.model.mean[at] + np.tensordot(fit.identity, face.model.identity[:, at], 1)
    shape = shape + np.tensordot(fit.expression, face.model.expression[:, at], 1)
    seen = project(shape @ row_rotation(fit.euler) + fit.translation) / (SIDE / 2) - 1
    return np.clip(seen * [1, -1], -1, 1).astype(np.float32)
