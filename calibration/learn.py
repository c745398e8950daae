"""Calibration of a person: frames of a face in, a profile out."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32

from calibration.fit import MotionFit, Zero
from calibration.likeness import FRAMES, proportions, typical, variation
from calibration.neutral import NeutralEstimate, neutral_weight
from calibration.profile import FieldOfViewSource, Profile, RestPose
from models.errors import InputError
from models.expression import EYES
from models.face import FaceModel
from models.motion import INDEX
from models.pose import Pose, fit_pose

Landmarks = Float32[np.ndarray, "478 3"]

USUAL_FIELD_OF_VIEW_DEG = 65.0
"""Horizontal; webcams have 55 to 80."""

_MOST_FACES = 6000  # then every other one is let go: 35 MB
_LEAST_EVIDENCE = 2.0  # perfectly neutral frames, or as many more of less neutral ones
_ENDS = (2, 98)  # percentiles
_LEAST_RANGE = 0.08  # between closed and open, in openness; a blink must show at least this


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    face: Float32[np.ndarray, "478 3"]
    weight: float
    pose: Pose


class Learner:
    """Collects faces and makes a profile of them. Keeps landmarks, never pictures."""

    def __init__(self, model: FaceModel) -> None:
        self._model = model
        self._seen: list[_Seen] = []
        self._stride = 1
        self._size_px = (0, 0)
        self.neutral = NeutralEstimate()
        self.count = 0
        """Faces seen."""

    def add(self, landmarks: Landmarks, width_px: int, height_px: int, relaxed: bool = True) -> float:
        """Takes the face of one frame and says how neutral it is, 0..1.

        `relaxed` is false while the person was asked for an expression: then nothing counts as neutral.
        """
        pose = fit_pose(landmarks, self._model.mean)
        face = pose.to_canonical(landmarks.astype(np.float64)).astype(np.float32)
        weight = neutral_weight(face, pose) if relaxed else 0.0
        if relaxed:
            self.neutral.add(face, weight)
        self._size_px = (width_px, height_px)
        if self.count % self._stride == 0:
            self._seen.append(_Seen(face, weight, pose))
        self.count += 1
        if len(self._seen) > _MOST_FACES:
            self._seen, self._stride = self._seen[::2], self._stride * 2
        return weight

    def profile(self, name: str, made: str, field_of_view_deg: float | None = None) -> Profile:
        """What was learnt.

        Raises:
            InputError: too few frames with a face, or none in which it was at rest.
        """
        if self.count < FRAMES:
            frames = f"{self.count} frame{'' if self.count == 1 else 's'}"
            raise InputError(
                f"a face was seen in {frames}, at least {FRAMES} are needed; look into the camera for longer"
            )
        if self.neutral.evidence < _LEAST_EVIDENCE:
            raise InputError(
                "the face was never at rest: look straight into the camera for two seconds, lips together and eyes open"
            )
        neutral = self.neutral.face()
        rest = self._rest()
        closed, opened = self._eyes(neutral)
        low, high = self._ranges(neutral)
        rows = np.stack([proportions(seen.face) for seen in self._seen])
        source: FieldOfViewSource = "default" if field_of_view_deg is None else "given"
        return Profile(
            name=name,
            made=made,
            frames=self.count,
            neutral=neutral,
            rest=rest,
            low=low,
            high=high,
            eyes_closed=closed,
            eyes_open=opened,
            field_of_view_deg=field_of_view_deg or USUAL_FIELD_OF_VIEW_DEG,
            field_of_view_source=source,
            proportions=typical(rows, self._weights),
            variation=variation(rows),
        )

    @property
    def _weights(self) -> Float[np.ndarray, "k"]:
        return np.array([seen.weight for seen in self._seen])

    def _rest(self) -> RestPose:
        """The median pose of the frames at rest."""
        weights = self._weights
        best = [self._seen[i] for i in np.argsort(-weights, kind="stable")[: max(1, int((weights > 0.1).sum()))]]
        width, height = self._size_px
        turns = np.median([cv2.Rodrigues(seen.pose.rotation)[0].ravel() for seen in best], axis=0)
        x, y = np.median([seen.pose.translation[:2] for seen in best], axis=0)
        scale = float(np.median([seen.pose.scale for seen in best]))
        return RestPose(
            rotation=(float(turns[0]), float(turns[1]), float(turns[2])),
            place=(float(x - width / 2) / height, float(y - height / 2) / height),
            scale=scale / height,
        )

    def _eyes(self, neutral: Landmarks) -> tuple[tuple[float, float] | None, tuple[float, float]]:
        """Openness closed, if a blink of both eyes was seen, and open."""
        opened = _openness(neutral)
        lowest = np.percentile([_openness(seen.face) for seen in self._seen], 1, axis=0)
        if any(low > min(rest - _LEAST_RANGE, 0.5 * rest) for low, rest in zip(lowest, opened, strict=True)):
            return None, opened
        return (float(lowest[0]), float(lowest[1])), opened

    def _ranges(self, neutral: Landmarks) -> tuple[Float32[np.ndarray, "64"], Float32[np.ndarray, "64"]]:
        """Robust ends of every coefficient."""
        fit = MotionFit(Zero.of_face(neutral, self._model), self._model)
        rows = np.stack([fit.express(seen.face.astype(np.float64)) for seen in self._seen])
        rows[:, INDEX["mouthNeutral"]] = 0.0
        low, high = np.percentile(rows, _ENDS, axis=0).astype(np.float32)
        return low, high


def _openness(face: Landmarks) -> tuple[float, float]:
    right, left = (eye.openness(face) for eye in EYES)
    return right, left
