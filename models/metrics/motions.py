"""Distances of two faces by the parameters of the face model that lies on them."""

import cv2
import numpy as np
from jaxtyping import Float


def expression_distance(got: Float[np.ndarray, "64"], want: Float[np.ndarray, "64"]) -> float:
    """Mean absolute difference of the expression coefficients: the average expression distance (AED).

    After Ren et al., "PIRenderer", 2021, with the coefficients of `models.motion` in place of the Basel model's: values
    compare with one another, and not with those of papers.
    """
    return float(np.abs(got - want).mean())


def pose_distance_degrees(got: Float[np.ndarray, "3"], want: Float[np.ndarray, "3"]) -> float:
    """Angle of the turn from one head's pose to the other's: the average pose distance (APD), of rotation alone.

    Ren et al., "PIRenderer", 2021, and papers after it take the mean absolute difference of a face model's pose
    coefficients: values compare with one another, and not with those of papers.

    Args:
        got: rotation vector, radians.
        want: the same.
    """
    turn = cv2.Rodrigues(got.astype(np.float64))[0].T @ cv2.Rodrigues(want.astype(np.float64))[0]
    return float(np.degrees(np.linalg.norm(cv2.Rodrigues(turn)[0])))
