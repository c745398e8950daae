"""What expressions mean on landmarks: how open an eye is, where it looks, and lips that close and never cross."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from models.face import FaceModel
from models.motion import INDEX, expression
from models.topology import (
    CHIN,
    FOREHEAD_TOP,
    LEFT_IRIS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP,
    OUTER_EYE_CORNERS,
    RIGHT_IRIS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    UPPER_LIP,
)

Points = Float[np.ndarray, "478 3"]

WIDE_GAIN = 0.5
"""By this part of its rest opening eyeWide = 1 opens an eye."""
SHUT = (0.05, 0.18)
"""Parts of its rest opening to which an eye is shut, and from which on it is as open as it is told."""


@dataclass(frozen=True, slots=True, eq=False)
class EyeContour:
    """Landmark indices of one eye."""

    side: str
    """The subject's "Right" or "Left"."""
    upper: Int[np.ndarray, "9"]
    """Upper lid from corner to corner."""
    lower: Int[np.ndarray, "9"]
    """Lower lid, sharing the corners."""
    iris: Int[np.ndarray, "5"]
    """Iris, centre first."""

    @property
    def closed(self) -> Int[np.ndarray, "16"]:
        """The closed contour."""
        return np.concatenate([self.upper, self.lower[-2:0:-1]])

    def gap(self, points: Points) -> float:
        """Distance of the lids in the middle of the eye."""
        return float(np.linalg.norm(points[self.upper[3:6]] - points[self.lower[3:6]], axis=1).mean())

    def width(self, points: Points) -> float:
        """Distance of the corners."""
        return float(np.linalg.norm(points[self.upper[0]] - points[self.upper[-1]]))

    def openness(self, points: Points) -> float:
        """Gap over width: about 0.3 when open, 0.05 to 0.1 as landmarks show a closed eye."""
        return self.gap(points) / self.width(points)

    def gaze(self, points: Points) -> Float[np.ndarray, "3"]:
        """Iris relative to the middle of the corners."""
        middle = 0.5 * (points[self.upper[0]] + points[self.upper[-1]])
        return np.asarray(points[self.iris[0]] - middle)


EYES = (
    EyeContour("Right", RIGHT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_IRIS),
    EyeContour("Left", LEFT_UPPER_LID, LEFT_LOWER_LID, LEFT_IRIS),
)


def eye_opening(blink: float, wide: float) -> float:
    """How far an eye is open, as a multiple of its rest opening, from its two coefficients."""
    opening = max(0.0, 1.0 - blink + WIDE_GAIN * wide)
    return opening * float(np.clip((opening - SHUT[0]) / (SHUT[1] - SHUT[0]), 0, 1))


def blink_and_wide(opening: float) -> tuple[float, float]:
    """The two coefficients of an eye; the inverse of `eye_opening` where the eye is not all but shut."""
    return float(np.clip(1 - opening, 0, 1)), float(np.clip((opening - 1) / WIDE_GAIN, 0, 1))


def lid_follow(model: FaceModel, eye: EyeContour) -> Float[np.ndarray, "64"]:
    """By which part of its gap each coefficient opens an eye, blink and wide apart: lids follow gaze and squint."""
    middle = slice(3, 6)
    change = model.expression[:, eye.upper[middle]] - model.expression[:, eye.lower[middle]]
    gap = model.mean[eye.upper[middle]] - model.mean[eye.lower[middle]]
    follow = (change * gap).sum(axis=(1, 2)) / float((gap * gap).sum())
    follow[[INDEX[f"eye{name}{side}"] for name in ("Blink", "Wide") for side in ("Left", "Right")]] = 0.0
    return follow.astype(np.float64)


def eye_distance(points: Points) -> float:
    """Distance of the outer eye corners."""
    return float(np.linalg.norm(points[OUTER_EYE_CORNERS[0]] - points[OUTER_EYE_CORNERS[1]]))


def close_mouth(points: Points, model: FaceModel) -> Points:
    """A canonical face with opening shapes taken back until the inner lips meet; unchanged where they do."""
    size = eye_distance(points)
    down = _down(points)
    gap = (points[LOWER_LIP[5]] - points[UPPER_LIP[5]]) @ down
    if gap <= 0.003 * size:
        return points.copy()
    coefficients = expression(
        jawOpen=0.35,
        mouthUpperUpLeft=0.25,
        mouthUpperUpRight=0.25,
        mouthLowerDownLeft=0.25,
        mouthLowerDownRight=0.25,
    )
    opening = size * np.tensordot(coefficients, model.expression, 1)
    per_unit = (opening[LOWER_LIP[5]] - opening[UPPER_LIP[5]]) @ down
    closed = points - opening * (gap / per_unit)
    middle = 0.5 * (closed[UPPER_LIP] + closed[LOWER_LIP])
    closed[UPPER_LIP], closed[LOWER_LIP] = middle, middle
    return closed


def part_lips(points: Points) -> Points:
    """Inner lips that crossed are moved to their midline."""
    down = _down(points)
    upper, lower = UPPER_LIP[1:-1], LOWER_LIP[1:-1]
    crossed = np.minimum((points[lower] - points[upper]) @ down, 0.0)
    shift = 0.5 * crossed[:, None] * down
    out = points.copy()
    out[upper] += shift
    out[lower] -= shift
    return out


def _down(points: Points) -> Float[np.ndarray, "3"]:
    axis = points[CHIN] - points[FOREHEAD_TOP]
    return np.asarray(axis / np.linalg.norm(axis))
