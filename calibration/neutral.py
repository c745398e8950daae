"""The neutral face of a person: a running estimate over many frames, which no single frame can spoil."""

import heapq

import cv2
import numpy as np
from jaxtyping import Float, Float32

from models.ease import smoothstep
from models.expression import EYES, eye_distance
from models.pose import Pose
from models.topology import LOWER_LIP, UPPER_LIP

Landmarks = Float[np.ndarray, "478 3"]

_KEPT = 128  # faces, the most neutral ones
_CLOSED_LIPS = 0.04  # gap of the inner lips, in eye distances, at which a mouth hardly counts as closed
_FRONTAL = np.deg2rad(15)  # the same for the head's turn
_EYES = (0.12, 0.20)  # openness of the narrower eye: not open, open


def neutral_weight(face: Landmarks, pose: Pose) -> float:
    """How neutral a face looks, 0..1: lips together, eyes open, head turned to the camera.

    `face` is in canonical space, `pose` says how the head was held. Smiles and brows are not judged here: what
    is a smile depends on the person, and shows as a distance from the person's other faces.
    """
    gap = float(np.linalg.norm(face[LOWER_LIP[5]] - face[UPPER_LIP[5]])) / eye_distance(face)
    turn = float(np.linalg.norm(cv2.Rodrigues(pose.rotation)[0]))
    eyes = smoothstep(*_EYES, min(eye.openness(face) for eye in EYES))
    return float(np.exp(-((gap / _CLOSED_LIPS) ** 2) - (turn / _FRONTAL) ** 2) * eyes)


class NeutralEstimate:
    """A weighted median over the most neutral faces seen so far.

    Faces far from the others count less, so that grimaces with closed lips do not pull. The estimate changes as
    better frames come and converges once there are enough: of a thousand faces the best `_KEPT` speak.
    """

    def __init__(self) -> None:
        self._faces: list[tuple[float, int, Float32[np.ndarray, "478 3"]]] = []  # a heap, the least neutral first
        self.count = 0
        """Faces seen."""

    def add(self, face: Landmarks, weight: float) -> None:
        """Takes a canonical face with its `neutral_weight`; what is not neutral at all is let go."""
        self.count += 1
        entry = (weight, -self.count, face.astype(np.float32))
        if len(self._faces) < _KEPT:
            heapq.heappush(self._faces, entry)
        else:
            heapq.heappushpop(self._faces, entry)

    @property
    def evidence(self) -> float:
        """Sum of the weights that speak: 1 is one perfectly neutral frame."""
        return sum(weight for weight, _, _ in self._faces)

    def face(self) -> Float32[np.ndarray, "478 3"]:
        """The estimate in canonical space. Raises ValueError before the first face."""
        if not self._faces:
            raise ValueError("no face was added")
        faces = np.stack([face for _, _, face in self._faces])
        weights = np.array([weight for weight, _, _ in self._faces]) + 1e-9
        middle = _weighted_median(faces, weights)
        apart = np.linalg.norm(faces - middle, axis=2).mean(1)
        usual = max(float(np.median(apart)), 1e-6)
        return _weighted_median(faces, weights / (1 + (apart / usual) ** 2))


def _weighted_median(
    faces: Float32[np.ndarray, "k 478 3"], weights: Float[np.ndarray, "k"]
) -> Float32[np.ndarray, "478 3"]:
    """Coordinate by coordinate, the value with half of the weight on either side."""
    order = np.argsort(faces, axis=0)
    heaped = np.cumsum(weights[order], axis=0)
    middle = (heaped >= 0.5 * heaped[-1]).argmax(0)[None]
    return np.take_along_axis(np.take_along_axis(faces, order, 0), middle, 0)[0]
