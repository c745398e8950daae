"""The faces that SyncNet sees of a run of pictures."""

from collections import deque
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

SIDE = 224
"""Of what is cut out, pixels."""
BESIDE = 110
"""Grey beyond the picture's edges."""
_ROOM = 0.4  # around the face
_STEADIED = 6  # pictures before and after, that tell where a face is

Face = UInt8[np.ndarray, "224 224 3"]
Points = Float[np.ndarray, "n _"]
"""Landmarks of a face in a picture: x and y, and maybe more; pixels."""
Box = Float[np.ndarray, "3"]
"""Its middle, x and y, and half of its longer side; pixels."""


class FaceCutter:
    """Cuts what SyncNet sees out of pictures, as they come.

    In each, the box around the face is the median of those of 13 pictures, as published (there, another detector's).
    """

    def __init__(self, start: Points) -> None:
        """`start`: where the face is taken to be until it is found."""
        self._last = _box_of(start)
        self._boxes: list[Box] = []
        self._waiting: deque[UInt8[np.ndarray, "h w 3"]] = deque()

    def take(self, image: UInt8[np.ndarray, "h w 3"], face: Points | None) -> list[Face]:
        """The next picture, not to be written to; returns the face of that six before, if there was one.

        `face`: None where it is not found, and taken to be where it was.
        """
        self._last = self._last if face is None else _box_of(face)
        self._boxes.append(self._last)
        self._waiting.append(image)
        return [self._next()] if len(self._waiting) > _STEADIED else []

    def rest(self) -> list[Face]:
        """Of the last pictures, once all were taken."""
        return [self._next() for _ in range(len(self._waiting))]

    def _next(self) -> Face:
        number = len(self._boxes) - len(self._waiting)
        return cut_face(self._waiting.popleft(), _steady(self._boxes, number))


def steady_boxes(faces: Iterable[Points]) -> Float[np.ndarray, "pictures 3"]:
    """The boxes of all pictures of a clip, as `FaceCutter` has them."""
    boxes = [_box_of(face) for face in faces]
    return np.stack([_steady(boxes, number) for number in range(len(boxes))])


def square(box: Box) -> Box:
    """What SyncNet sees around a box, more below it than above: left, top and side."""
    x, y, half = box
    side = 2 * (1 + _ROOM) * half
    return np.array([x - side / 2, y - half, side])


def cut_face(image: UInt8[np.ndarray, "h w 3"], box: Box) -> Face:
    """What SyncNet sees of a picture whose face lies in a box."""
    left, top, side = square(box)
    scale = SIDE / side
    matrix = np.array([[scale, 0, (0.5 - left) * scale - 0.5], [0, scale, (0.5 - top) * scale - 0.5]])
    return np.asarray(cv2.warpAffine(image, matrix, (SIDE, SIDE), borderValue=(BESIDE,) * 3))


def _box_of(face: Points) -> Box:
    low, high = face[:, :2].min(0), face[:, :2].max(0)
    return np.array([*(low + high) / 2, (high - low).max() / 2], np.float64)


def _steady(boxes: Sequence[Box], number: int) -> Box:
    around = boxes[max(0, number - _STEADIED) : number + _STEADIED + 1]
    return np.asarray(np.median(around, axis=0))
