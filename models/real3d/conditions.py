"""Motion -> what is new in a frame: the driven face, a camera and the torso's key points."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float32

from models.face import FaceModel
from models.face_fit.objective import Coefficients
from models.face_fit.portrait_motion import PortraitMotion
from models.motion import INDEX, Motion
from models.real3d.camera import camera_labels
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.torso_keypoints import torso_keypoints

_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


class Conditioner:
    """What motions mean for one person. One thread, no GPU; the same motion gives the same drive."""

    def __init__(self, face: Real3dFace, own: FaceModel, person: Coefficients) -> None:
        """`own`: the model that `Motion.expression` counts in; `person`: the portrait's fit, which is its rest."""
        self._face, self._person = face, person
        self._move = PortraitMotion(face, own, person)

    def __call__(self, motion: Motion) -> Drive:
        """The drive that shows this motion, a batch of one."""
        return self._drive(self.shown(motion), motion["eyeBlinkRight"], motion["eyeBlinkLeft"])

    def canonical(self) -> Drive:
        """The person's neutral face, posed as in the portrait."""
        return self._drive(replace(self._person, expression=np.zeros_like(self._person.expression)))

    def source(self) -> Drive:
        """The portrait as it is: the paper's source. (The released tool takes the clip's first frame for it.)"""
        return self._drive(self._person)

    def shown(self, motion: Motion) -> Coefficients:
        """The face model's parameters.

        Closed eyes are left out: this paper closes them in the picture of the face's surface, not in its coefficients.
        """
        open_eyed = motion.expression.copy()
        open_eyed[_BLINKS] = 0
        return self._move(replace(motion, expression=open_eyed))

    def _drive(self, fit: Coefficients, right: float = 0.0, left: float = 0.0) -> Drive:
        """Of the face model's parameters, its right and its left eye closed so far."""
        camera = camera_labels(fit.euler, fit.translation)
        given = (fit.identity, fit.expression, np.array([right, left], np.float32), camera, self._key_points(fit))
        return Drive(*(torch.from_numpy(values)[None] for values in given))

    def _key_points(self, fit: Coefficients) -> Float32[np.ndarray, "68 3"]:
        return np.pad(torso_keypoints(self._face, fit), ((0, 0), (0, 1)))
