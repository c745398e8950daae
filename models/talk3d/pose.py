"""The head's angles as the released networks were told them, which is not what the head did.

Their makers solved for the head's pose from six landmarks that had been scaled to -1..1, with a camera that expects
pixels: a level, frontal head is reported as pitch 20 and yaw -17 degrees. Networks that learnt from these angles must
be given them.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float64

POINTS = (30, 8, 45, 36, 64, 60)
"""Of 68 landmarks: tip of the nose, chin, outer corners of the eyes right and left in the picture, corners of the lips'
inner and outer line as the authors took them."""
_HEAD = np.array(
    [(0, 0, 0), (0, -330, -65), (-165, 170, -135), (165, 170, -135), (-150, -150, -125), (150, -150, -125)], np.float64
)
_HALF_VIEW = np.deg2rad(30)


def reported_angles(points: Float[np.ndarray, "6 2"], width: int, height: int) -> Float64[np.ndarray, "3"]:
    """Pitch, yaw and roll in degrees, of landmarks in pixels, as the released tool would report them."""
    return solved_angles((points / width - 0.5) * 2, width, height)


def solved_angles(points: Float[np.ndarray, "6 2"], width: int, height: int) -> Float64[np.ndarray, "3"]:
    """Pitch, yaw and roll in degrees; right where `points` are in pixels of a picture of this size."""
    focal = width / 2 / np.tan(_HALF_VIEW)
    lens = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    _, turn, _ = cv2.solvePnP(_HEAD, points.astype(np.float64), lens, np.zeros(4), flags=cv2.SOLVEPNP_ITERATIVE)
    pitch, yaw, roll = cv2.RQDecomp3x3(cv2.Rodrigues(turn)[0])[0]
    return np.array([_folded(pitch), _folded(yaw), -_folded(roll)])


def _folded(degrees: float) -> float:
    """Into -90..90, the sine being the same."""
    return float(np.rad2deg(np.arcsin(np.sin(np.deg2rad(degrees)))))
