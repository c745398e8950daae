"""What a camera tells of a mouth that speaks: gap, width and jaw in the units of the speech network's curves."""

import numpy as np
from jaxtyping import Float, Float32

from calibration.fit import MotionFit, Zero
from models.audio.lip_control import GAP, JAW
from models.expression import eye_distance
from models.face import FaceModel
from models.motion import INDEX
from models.pose import fit_pose
from models.topology import LOWER_LIP, OUTER_LIPS, UPPER_LIP

Landmarks = Float32[np.ndarray, "478 3"]

_WIDTH = 0.19
"""By how many eye distances a mouth is wider at a width of 1: what the shapes of a full spread and of a full rounding
move the corners on the mean face, 0.17 and 0.21."""
_MIDDLE = slice(4, 7)  # of the inner lips
_CORNERS = OUTER_LIPS[[0, len(OUTER_LIPS) // 2]]


class MouthSeen:
    """Collects the faces of a recording. Keeps landmarks, never pictures."""

    def __init__(self, model: FaceModel) -> None:
        self._model = model
        self._faces: list[Landmarks] = []
        self._times_s: list[float] = []

    def add(self, landmarks: Landmarks, pts_ns: int) -> None:
        """Takes the face of the next frame."""
        pose = fit_pose(landmarks, self._model.mean)
        self._faces.append(pose.to_canonical(landmarks.astype(np.float64)).astype(np.float32))
        self._times_s.append(pts_ns / 1e9)

    @property
    def times_s(self) -> Float[np.ndarray, "n"]:
        """When each face was seen."""
        return np.array(self._times_s)

    def measures(self, neutral: Landmarks) -> Float[np.ndarray, "n 3"]:
        """Gap, width and jaw of every face, as `models.audio.speaker_layer.measures` has them of curves; 0 is
        the neutral face, canonical."""
        fit = MotionFit(Zero.of_face(neutral.astype(np.float64), self._model), self._model)
        rest = _lips(neutral)
        rows = [[*(_lips(face) - rest), _jaw(fit, face)] for face in self._faces]
        return np.array(rows, np.float64).reshape(-1, 3) / [GAP, _WIDTH, JAW]


def _lips(face: Landmarks) -> Float[np.ndarray, "2"]:
    """Distance of the inner lips, and of the corners, in eye distances."""
    gap = np.linalg.norm(face[LOWER_LIP[_MIDDLE]] - face[UPPER_LIP[_MIDDLE]], axis=1).mean()
    width = np.linalg.norm(face[_CORNERS[0]] - face[_CORNERS[1]])
    return np.array([gap, width], np.float64) / eye_distance(face)


def _jaw(fit: MotionFit, face: Landmarks) -> float:
    return float(fit.express(face.astype(np.float64))[INDEX["jawOpen"]])
