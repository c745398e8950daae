"""Distances of two faces by their landmarks, and what lips do over time."""

import numpy as np
from jaxtyping import Float, Float64

from models.expression import eye_distance
from models.topology import IBUG68, LOWER_LIP, UPPER_LIP

Points = Float[np.ndarray, "478 3"]

_MOUTH = IBUG68[48:]
_MIDDLE = slice(4, 7)  # of a lip's eleven points
_AT_REST = 5e-3  # eye distances: lips whose opening varies by less do not move


def key_point_distance(got: Points, want: Points) -> float:
    """Mean distance of the 68 iBUG points in the picture, in the points' own pixels.

    The average key point distance (AKD) of Siarohin et al., "First order motion model for image animation", 2019.
    """
    return float(np.linalg.norm((got - want)[IBUG68, :2], axis=1).mean())


def lip_distance(got: Points, want: Points) -> float:
    """Mean distance of the 20 lip points in the picture once both mouths have the same middle, in the points' pixels.

    The landmark distance (LMD) of Chen et al., "Lip movements generation at a glance", 2018.
    """
    a, b = got[_MOUTH, :2], want[_MOUTH, :2]
    return float(np.linalg.norm((a - a.mean(0)) - (b - b.mean(0)), axis=1).mean())


def lip_opening(points: Points) -> float:
    """Gap between the middles of the inner lips, in distances of the outer eye corners."""
    gap = np.linalg.norm(points[UPPER_LIP[_MIDDLE]] - points[LOWER_LIP[_MIDDLE]], axis=1).mean()
    return float(gap) / eye_distance(points)


def opening_correlation(got: Float64[np.ndarray, "n"], want: Float64[np.ndarray, "n"]) -> float:
    """Pearson's correlation of two mouths' openings over time; NaN where either hardly moves, or of under 3 pictures.

    Args:
        got: openings as `lip_opening` gives them, NaN where no face was found.
        want: at the same instants.
    """
    known = np.isfinite(got) & np.isfinite(want)
    a, b = got[known], want[known]
    if len(a) < 3 or min(a.std(), b.std()) < _AT_REST:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
