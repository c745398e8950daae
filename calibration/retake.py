"""A portrait taken anew: the person as the camera sees them now, where the photo had them, before the photo's own
background. Nothing else of the camera's picture gets in."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from models.expression import EYES, eye_distance
from models.landmarks import Landmarks
from models.matte import fill_background, foreground_colours, person_matte
from models.portrait import Matte
from models.pose import fit_pose
from models.topology import LOWER_LIP, RIGID, UPPER_LIP

Image = UInt8[np.ndarray, "h w 3"]
Photo = UInt8[np.ndarray, "ph pw 3"]

_ZOOMS = (1.0, 1.08, 1.16, 1.25)  # of the photo's framing, the first that the camera's picture fills is taken
_TURN, _OPEN_EYES = np.deg2rad(15), 0.17  # of a face that becomes a portrait: at most, at least
_MORE_GAP, _LEAST_GAP = 0.02, 0.05  # eye distances
_MISSING = 0.002  # of a picture that may be person and is beyond the camera's picture


def retake(frame: Image, face: Landmarks, photo: Photo, photo_face: Landmarks) -> Photo | None:
    """The new portrait, RGB, as large as the photo; None where the camera does not show enough of the person.

    Args:
        frame: RGB.
        face: landmarks in pixels of `frame`.
        photo: of the same person, RGB.
        photo_face: landmarks in pixels of `photo`.
    """
    matte = person_matte(frame, face)
    colours = foreground_colours(frame, matte, fill_background(frame, matte, face))
    before = person_matte(photo, photo_face)
    for zoom in _ZOOMS:
        place = _onto(face, photo_face, zoom)
        now, missing = _placed(matte, place, (photo.shape[1], photo.shape[0]))
        if (missing & ((now > 0.5) | _reaches_down(before))).mean() <= _MISSING:
            person = cv2.warpAffine(colours, place, photo.shape[1::-1], flags=cv2.INTER_AREA)
            behind = fill_background(photo, before, photo_face)
            out = person * now[..., None] + behind * (1 - now[..., None])
            return np.clip(out + 0.5, 0, 255).astype(np.uint8)
    return None


def is_suited(face: Landmarks, photo_face: Landmarks, mean: Float[np.ndarray, "478 3"]) -> bool:
    """Whether a face looks this way with open eyes, its mouth hardly more open than the photo's; `mean` is the model's.

    Landmarks in pixels.
    """
    turn = float(np.linalg.norm(cv2.Rodrigues(fit_pose(face, mean).rotation)[0]))
    open_eyes = min(eye.openness(face) for eye in EYES) > _OPEN_EYES
    return bool(turn < _TURN and open_eyes and _gap(face) < max(_gap(photo_face) + _MORE_GAP, _LEAST_GAP))


def _gap(face: Landmarks) -> float:
    """Between the lips, in eye distances."""
    return float(np.linalg.norm(face[LOWER_LIP[5]] - face[UPPER_LIP[5]])) / eye_distance(face)


def _onto(face: Landmarks, photo_face: Landmarks, zoom: float) -> Float[np.ndarray, "2 3"]:
    """Pixels of the frame -> pixels of the photo: turned, scaled and shifted, the face's middle staying its middle."""
    source, target = (points[RIGID, :2].astype(np.float64) @ [1, 1j] for points in (face, photo_face))
    a, b = source - source.mean(), target - target.mean()
    turn = zoom * np.vdot(a, b) / np.vdot(a, a)
    shift = target.mean() - turn * source.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _placed(
    matte: Matte, place: Float[np.ndarray, "2 3"], size: tuple[int, int]
) -> tuple[Float32[np.ndarray, "ph pw"], Bool[np.ndarray, "ph pw"]]:
    """The matte on a photo of this width and height, its edge continued; and where the camera's picture ends."""
    there = cv2.warpAffine(np.ones_like(matte), place, size, flags=cv2.INTER_NEAREST)
    now = cv2.warpAffine(matte, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return now, there < 0.5


def _reaches_down(before: Float32[np.ndarray, "ph pw"]) -> Bool[np.ndarray, "ph pw"]:
    """The person's place at the photo's lower edge, which must not become a gap."""
    rows = np.zeros(before.shape, bool)
    rows[-max(1, len(before) // 50) :] = True
    return rows & (before > 0.5)
