"""Stays with one face where there are several: the largest at first, then the one that it followed."""

import numpy as np
from jaxtyping import UInt8

from models.landmarks import FaceTracker, Landmarks, face_width
from models.topology import SURFACE_COUNT

_PATIENCE = 60  # pictures without the face, after which any other may take its place
_REACH = (0.8, 0.05, 1.5)  # face widths that it may have moved by, more for each picture without it, and most
_SIZES = (0.6, 1.6)  # of the face it was, within which it is the same
_HIDDEN = 1.0  # face widths around the middle of another face that are greyed out: all of a head
_GREY = 128


class OneFace:
    """A `FaceTracker` by another one, which follows any face: pictures are given to it without other people's.

    Somebody else's face counts as none, for about two seconds of pictures in which the followed one is looked for.
    """

    def __init__(self, tracker: FaceTracker) -> None:
        self._tracker = tracker
        self._face: Landmarks | None = None
        self._other: Landmarks | None = None
        self._missing = 0

    def track(self, image: UInt8[np.ndarray, "h w 3"]) -> Landmarks | None:
        """Landmarks of the followed face in the next RGB frame, or None when it is not seen."""
        seen = self._tracker.track(image if self._other is None else _without(self._other, image))
        if seen is not None and self._face is None:
            seen = self._larger(seen, image)
        if seen is not None and self._is_followed(seen):
            self._face, self._other, self._missing = seen, None, 0
            return seen
        if seen is not None:
            self._other = seen
            self._tracker.track(_without(seen, image))  # it lets go of that face
        self._missing += 1
        if self._missing > _PATIENCE:
            self._face = self._other = None
        return None

    def close(self) -> None:
        """Frees the model. May be called twice."""
        self._tracker.close()

    def _larger(self, face: Landmarks, image: UInt8[np.ndarray, "h w 3"]) -> Landmarks:
        """The larger of a face and another one in the picture, if there is one."""
        for _ in range(2):  # lets go of the face, then looks for others
            other = self._tracker.track(_without(face, image))
        return face if other is None or face_width(other) <= face_width(face) else other

    def _is_followed(self, face: Landmarks) -> bool:
        if self._face is None:
            return True
        width = face_width(self._face)
        at_once, each, most = _REACH
        moved = float(np.linalg.norm(_middle(face) - _middle(self._face))) / width
        return moved <= min(at_once + each * self._missing, most) and _SIZES[0] <= face_width(face) / width <= _SIZES[1]


def _middle(face: Landmarks) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return face[:SURFACE_COUNT, :2].mean(0)


def _without(face: Landmarks, image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """A copy of the picture with a face greyed out."""
    reach = _HIDDEN * face_width(face)
    left, top = np.maximum(_middle(face) - reach, 0).astype(int)
    right, bottom = np.maximum(_middle(face) + reach, 0).astype(int)
    hidden = image.copy()
    hidden[top:bottom, left:right] = _GREY
    return hidden
