"""Motion -> parameters of the face model that lies on a portrait."""

import cv2
import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from models.camera import row_rotation
from models.face import FaceModel
from models.face_fit.follower import FaceFollower
from models.face_fit.landmarked_face import LandmarkedFace
from models.face_fit.objective import Coefficients
from models.motion import Motion
from models.pose import NECK_PIVOT, similarity

_FLIP = np.diag([1.0, -1.0, -1.0])
"""Axes of motions (x right, y down, z away) and of the face model (x right, y up, z towards the camera)."""


class PortraitMotion:
    """What motions mean for one person. One thread; the same motion gives the same parameters."""

    def __init__(self, face: LandmarkedFace, own: FaceModel, person: Coefficients) -> None:
        """`own`: the model that `Motion.expression` counts in; `person`: the portrait's fit, which is its rest."""
        self._person = person
        aligned = similarity(own.mean[own.keypoints68], face.model.mean[face.model.keypoints68])
        self._follow = FaceFollower(face, own, aligned)
        self._rest = row_rotation(person.euler)
        self._unit = aligned.scale
        """Decimetres of an inter-ocular distance."""
        self._pivot = aligned.to_picture(NECK_PIVOT[None])[0] @ self._rest + person.translation

    def __call__(self, motion: Motion) -> Coefficients:
        """The face model's parameters. A neutral mouth is a neutral face here: the portrait's own expression goes."""
        own = np.float32(1 - np.clip(motion["mouthNeutral"], 0, 1))
        rotation, translation = self.pose(motion)
        return Coefficients(
            identity=self._person.identity,
            expression=own * self._person.expression + self._follow(motion),
            euler=Rotation.from_matrix(rotation.T).as_euler("xyz").astype(np.float32),
            translation=translation.astype(np.float32),
        )

    def pose(self, motion: Motion) -> tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "3"]]:
        """The portrait's pose, turned about its neck and shifted: rotation of row vectors, and translation."""
        turn = (_FLIP @ cv2.Rodrigues(motion.rotation.astype(np.float64))[0] @ _FLIP).T
        shift = self._unit * _FLIP @ motion.translation.astype(np.float64)
        return self._rest @ turn, (self._person.translation - self._pivot) @ turn + self._pivot + shift
