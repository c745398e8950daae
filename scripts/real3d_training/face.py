"""The face model of a training, and a picture's shot from landmarks laid on it."""

import hashlib
from dataclasses import fields
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from golden.dense_face import dense_face
from jaxtyping import Float32, Float64

from models.face_fit.landmark_model import LandmarkModel
from models.face_fit.objective import Coefficients, to_fit
from models.face_fit.photo import fit_frame, fit_photo
from models.real3d.blink import eyes_closed
from models.real3d.camera import camera_labels
from models.real3d.face import Real3dFace, load_real3d_face
from models.real3d.pncc import SIDE, PnccPainter
from models.real3d.source import torso_picture
from models.real3d.torso_keypoints import torso_keypoints
from models.topology import OUTER_LIPS
from real3d_training.clip import Classes, Picture, Shot

Landmarks = Float32[np.ndarray, "478 3"]
_LIPS = 1.6  # of their width: side of the square around them


@cache
def open_face(folder: Path | None) -> Real3dFace:
    """A user's Basel model, or our own face in its axes: weights trained with one know no other's pictures."""
    return dense_face() if folder is None else load_real3d_face(folder)


def face_digest(face: Real3dFace) -> str:
    """Tells face models apart by their content."""
    digest = hashlib.sha256()
    for part in (face.model, face):
        for field in fields(part):
            if isinstance(values := getattr(part, field.name), np.ndarray):
                digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


class FaceReader:
    """Lays the face model over pictures of one person, all of one size."""

    def __init__(self, face: Real3dFace, side: int) -> None:
        self._face, self._side = face, side
        self._model = LandmarkModel(face)
        self._paint = PnccPainter(face, side)

    def person(self, landmarks: list[Landmarks]) -> Float32[np.ndarray, "80"]:
        """Who is seen in all of these: the mean of what each tells."""
        fits = [fit_photo(to_fit(each, self._side), self._model) for each in landmarks]
        return np.mean([fit.identity for fit in fits], axis=0).astype(np.float32)

    def shot(self, picture: Picture, classes: Classes, landmarks: Landmarks, who: Float32[np.ndarray, "80"]) -> Shot:
        """Everything of one picture."""
        fit = fit_frame(to_fit(landmarks, self._side), self._model, who)
        return Shot(
            picture=picture,
            classes=classes,
            camera=camera_labels(fit.euler, fit.translation),
            fit=fit,
            key_points=torso_keypoints(self._face, fit),
            lips=_mouth(landmarks, self._side),
            pncc=to_bytes(self._paint(fit.identity, fit.expression)),
            torso=torso_at(picture, classes),
        )

    def canonical(self, who: Float32[np.ndarray, "80"]) -> Picture:
        """The person's PNCC picture at rest."""
        return to_bytes(self._paint(who, np.zeros(64, np.float32)))


class BlinkPainter:
    """PNCC pictures whose eyes close. Lids come down at the released size, and the pictures are then made smaller."""

    def __init__(self, face: Real3dFace, side: int) -> None:
        self._paint, self._side = PnccPainter(face), side

    def __call__(self, fit: Coefficients, closures: Float64[np.ndarray, "k"]) -> Float32[np.ndarray, "k 3 side side"]:
        """One for each closure, 0..1."""
        drawn, step = self._paint(fit.identity, fit.expression), SIDE // self._side
        return np.stack([eyes_closed(drawn, how, how)[:, step // 2 :: step, step // 2 :: step] for how in closures])


def torso_at(picture: Picture, classes: Classes) -> Picture:
    """The torso's picture: made at the released size, whose distances are in pixels."""
    side = len(picture)
    if side == SIDE:
        return torso_picture(picture, classes)
    large = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    made = torso_picture(large, cv2.resize(classes, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST))
    return cv2.resize(made, (side, side), interpolation=cv2.INTER_AREA)


def to_bytes(codes: Float32[np.ndarray, "3 h w"]) -> Picture:
    """-1..1 as 0..255."""
    return np.ascontiguousarray(np.rint((codes.transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8))


def _mouth(landmarks: Landmarks, side: int) -> np.ndarray:
    lips = landmarks[OUTER_LIPS, :2]
    low, high = lips.min(0), lips.max(0)
    half = 0.5 * _LIPS * max(float((high - low).max()), 4.0)
    middle = np.clip((low + high) / 2, 0, side)
    return np.rint(np.concatenate([middle - half, middle + half])).astype(np.int32)
