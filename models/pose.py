"""Where a face stands: similarity alignment of landmarks to the mean face (weak perspective)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from models.topology import RIGID

Points = Float[np.ndarray, "n 3"]
Matrix = Float[np.ndarray, "3 3"]
Vector = Float[np.ndarray, "3"]

NECK_PIVOT = np.array([0.0, 0.95, 0.85])
"""Canonical point about which heads turn: between mouth and chin, behind the ears."""


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """picture = scale * rotation @ canonical + translation."""

    scale: float
    """Pixels per canonical unit (the mean face's distance of outer eye corners)."""
    rotation: Matrix
    translation: Vector
    """Pixels."""

    def to_picture(self, canonical: Points) -> Points:
        """Canonical points -> pixels."""
        return self.scale * canonical @ self.rotation.T + self.translation

    def to_canonical(self, points: Points) -> Points:
        """Pixels -> canonical points."""
        return (points - self.translation) @ self.rotation / self.scale


def fit_pose(landmarks: Float[np.ndarray, "478 3"], mean: Float[np.ndarray, "478 3"]) -> Pose:
    """The pose under which the rigid points of the mean face come nearest to `landmarks`, least squares."""
    return similarity(mean[RIGID], landmarks[RIGID])


def similarity(source: Points, target: Points) -> Pose:
    """The shift, turn and scale, never a reflection, that takes `source` nearest to `target`, least squares.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991.
    """
    source, target = source.astype(np.float64), target.astype(np.float64)
    source_centre, target_centre = source.mean(0), target.mean(0)
    a, b = source - source_centre, target - target_centre
    u, s, vt = np.linalg.svd(b.T @ a)
    d = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * d) @ vt
    scale = float((s * d).sum() / (a**2).sum())
    return Pose(scale, rotation, target_centre - scale * rotation @ source_centre)
