"""Motion -> what the networks are given for a frame: a PNCC picture, a camera and the torso's key points."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32, Float64
from scipy.spatial.transform import Rotation

from models.camera import row_rotation
from models.face import FaceModel
from models.motion import Motion
from models.pose import NECK_PIVOT, similarity
from models.real3d.blink import blinked
from models.real3d.camera import camera_labels
from models.real3d.face import Real3dFace
from models.real3d.face_follower import FaceFollower
from models.real3d.fit_objective import Coefficients
from models.real3d.pncc import Pncc, PnccPainter
from models.real3d.torso_keypoints import torso_keypoints

_FLIP = np.diag([1.0, -1.0, -1.0])
"""Axes of motions (x right, y down, z away) and of the face model (x right, y up, z towards the camera)."""


class Conditions(NamedTuple):
    """What the networks are given for one frame."""

    pncc: Pncc
    camera: Float32[np.ndarray, "25"]
    key_points: Float32[np.ndarray, "68 3"]
    """x right, y down, the picture's edges at -1 and 1; z = 0."""


class Conditioner:
    """What motions mean for one person. One thread, no GPU; the same motion gives the same conditions."""

    def __init__(self, face: Real3dFace, own: FaceModel, person: Coefficients) -> None:
        """`own`: the model that `Motion.expression` counts in; `person`: the portrait's fit, which is its rest."""
        self._face, self._person = face, person
        self._painter = PnccPainter(face, person.identity)
        aligned = similarity(own.mean[own.keypoints68], face.model.mean[face.model.keypoints68])
        self._follow = FaceFollower(face, own, aligned)
        self._rest = row_rotation(person.euler)
        self._unit = aligned.scale
        """Decimetres of an inter-ocular distance."""
        self._pivot = aligned.to_picture(NECK_PIVOT[None])[0] @ self._rest + person.translation

    def __call__(self, motion: Motion) -> Conditions:
        """The conditions that show this motion."""
        shown = self.shown(motion)
        return Conditions(
            pncc=blinked(self._painter(shown.expression), motion),
            camera=camera_labels(shown.euler, shown.translation),
            key_points=self._key_points(shown),
        )

    def canonical(self) -> Pncc:
        """The person's neutral face."""
        return self._painter(np.zeros(len(self._face.model.expression), np.float32))

    def source(self) -> Conditions:
        """The portrait as it is: the paper's source. (The released tool takes the clip's first frame for it.)"""
        return Conditions(
            self._painter(self._person.expression),
            camera_labels(self._person.euler, self._person.translation),
            self._key_points(self._person),
        )

    def shown(self, motion: Motion) -> Coefficients:
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

    def _key_points(self, fit: Coefficients) -> Float32[np.ndarray, "68 3"]:
        return np.pad(torso_keypoints(self._face, fit), ((0, 0), (0, 1)))
