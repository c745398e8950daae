"""Motion -> what is new in a frame: the driven face, a camera and the torso's key points."""

from dataclasses import replace

import cv2
import numpy as np
import torch
from jaxtyping import Float32, Float64
from scipy.spatial.transform import Rotation

from models.camera import row_rotation
from models.face import FaceModel
from models.motion import Motion
from models.pose import NECK_PIVOT, similarity
from models.real3d.camera import camera_labels
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.face_follower import FaceFollower
from models.real3d.fit_objective import Coefficients
from models.real3d.torso_keypoints import torso_keypoints

_FLIP = np.diag([1.0, -1.0, -1.0])
"""Axes of motions (x right, y down, z away) and of the face model (x right, y up, z towards the camera)."""


class Conditioner:
    """What motions mean for one person. One thread, no GPU; the same motion gives the same drive."""

    def __init__(self, face: Real3dFace, own: FaceModel, person: Coefficients) -> None:
        """`own`: the model that `Motion.expression` counts in; `person`: the portrait's fit, which is its rest."""
        self._face, self._person = face, person
        aligned = similarity(own.mean[own.keypoints68], face.model.mean[face.model.keypoints68])
        self._follow = FaceFollower(face, own, aligned)
        self._rest = row_rotation(person.euler)
        self._unit = aligned.scale
        """Decimetres of an inter-ocular distance."""
        self._pivot = aligned.to_picture(NECK_PIVOT[None])[0] @ self._rest + person.translation

    def __call__(self, motion: Motion) -> Drive:
        """The drive that shows this motion, a batch of one."""
        return self._drive(self.shown(motion), motion["eyeBlinkRight"], motion["eyeBlinkLeft"])

    def canonical(self) -> Drive:
        """The person's neutral face, posed as in the portrait."""
        return self._drive(replace(self._person, expression=np.zeros_like(self._person.expression)))

    def source(self) -> Drive:
        """The portrait as it is: the paper's source. (The released tool takes the clip's first frame for it.)"""
        return self._drive(self._person)

    def _drive(self, fit: Coefficients, right: float = 0.0, left: float = 0.0) -> Drive:
        """Of the face model's parameters, its right and its left eye closed so far."""
        camera = camera_labels(fit.euler, fit.translation)
        given = (fit.identity, fit.expression, np.array([right, left], np.float32), camera, self._key_points(fit))
        return Drive(*(torch.from_numpy(values)[None] for values in given))

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
