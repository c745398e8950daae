"""Glimpses of the camera: cut as the photo is framed, so that the face lies where the portrait has it.

The one place where a picture of the camera becomes something that may leave as video.
"""

import io

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from models.landmarks import Landmarks
from runtime.frame import Frame
from runtime.glimpse import LONGEST_PX, MOST_BYTES, Glimpse

_COARSER = (
    (192, 24),
    (192, 16),
    (192, 10),
    (160, 10),
    (160, 5),
    (128, 8),
    (128, 3),
    (96, 6),
    (96, 1),
    (64, 1),
    (32, 1),
)
"""Longer side in pixels, and quality 0..100: the first that is small enough is taken."""
_FOLLOWING = 0.1  # of the way to where the face is, at each picture
_LEAST_FILLED = 0.65  # of the photo's shorter side, where the face is in the middle
_BLUR, _DIM = 0.06, 0.6  # part of the longer side, part of the light
_METHOD = 4  # of the encoder, 0..6: 3 ms

assert max(side for side, _ in _COARSER) <= LONGEST_PX

Pixels = UInt8[np.ndarray, "h w 3"]
Cut = UInt8[np.ndarray, "ch cw 3"]
Place = Float[np.ndarray, "3"]


class Glimpses:
    """Frames -> glimpses. Not thread-safe."""

    def __init__(self, photo_size: tuple[int, int], photo_face: Landmarks) -> None:
        """`photo_size`: width and height of the photo that the other end shows; `photo_face`: in its pixels."""
        self._size, self._face = photo_size, photo_face
        self._place: Place | None = None
        """Middle of the face in the frame, x and y, and how many of its pixels are one of the photo."""
        self._rung = 0

    def follow(self, face: Landmarks) -> None:
        """Where the face is while the portrait is true: there the first glimpse will be cut."""
        self._place = self._placed(face)

    def take(self, frame: Frame, face: Landmarks | None, wide: bool) -> Glimpse | None:
        """The glimpse of a frame; None before any face, or where none fits into a packet.

        It goes with the `face`, if there is one, slowly. `wide`: gradually it becomes as wide as the frame allows.
        """
        if self._place is None:
            return None
        target = self._place.copy() if face is None else self._placed(face)
        if wide:
            target = self._widened(target, frame.image)
        self._place = self._place + _FOLLOWING * (target - self._place)
        return self._coded(frame.image, self._place)

    @staticmethod
    def over() -> Glimpse:
        """No more of them: the portrait is true again."""
        return Glimpse(b"")

    def _placed(self, face: Landmarks) -> Place:
        points, photo_points = face[:, :2].astype(np.float64), self._face[:, :2].astype(np.float64)
        middle, photo_middle = points.mean(0), photo_points.mean(0)
        scale = np.linalg.norm(points - middle) / np.linalg.norm(photo_points - photo_middle)
        return np.array([*middle, scale])

    def _widened(self, place: Place, image: Pixels) -> Place:
        """As much of the frame as the photo's shape allows."""
        frame = np.array(image.shape[1::-1], float)
        scale = max(place[2], (frame / self._size).min())
        ahead = self._face[:, :2].mean(0) * scale
        room = np.maximum(frame - np.array(self._size) * scale, 0)
        return np.array([*(np.clip(place[:2] - ahead, 0, room) + ahead), scale])

    def _coded(self, image: Pixels, place: Place) -> Glimpse | None:
        """As fine as its bytes allow, beginning with a little finer than the one before; None if nothing is small
        enough.
        """
        for rung in range(max(0, self._rung - 1), len(_COARSER)):
            self._rung = rung
            side, quality = _COARSER[rung]
            file = io.BytesIO()
            Image.fromarray(self._cut(image, place, side)).save(file, "WEBP", quality=quality, method=_METHOD)
            if file.tell() <= MOST_BYTES:
                return Glimpse(file.getvalue())
        return None

    def _cut(self, image: Pixels, place: Place, side: int) -> Cut:
        """The photo's framing, so many pixels long; what the frame does not fill is a dim blur of it.

        Of a frame that would fill too little of it, the face becomes larger than the photo's.
        """
        size = np.maximum(np.round(np.array(self._size) * side / max(self._size)), 1).astype(int)
        frame = np.array(image.shape[1::-1])
        zoom = min(place[2], (frame / self._size).min() / _LEAST_FILLED)
        scale = side / max(self._size) / zoom  # pixels of the glimpse per one of the frame
        corner = place[:2] - self._face[:, :2].mean(0) * zoom
        first = np.clip(np.round(corner), 0, frame - 1).astype(int)  # at least one pixel of the frame
        last = np.clip(np.round(corner + size / scale), first + 1, frame).astype(int)
        before = np.clip(np.round((first - corner) * scale), 0, size - 1).astype(int)
        there = np.clip(np.round((last - first) * scale), 1, size - before).astype(int)
        part = image[first[1] : last[1], first[0] : last[0]]
        inside = np.asarray(cv2.resize(part, (int(there[0]), int(there[1])), interpolation=cv2.INTER_AREA))
        if (there == size).all():
            return inside
        around = cv2.resize(inside, (int(size[0]), int(size[1])))
        out = np.asarray(cv2.convertScaleAbs(cv2.GaussianBlur(around, (0, 0), _BLUR * side), alpha=_DIM))
        out[before[1] : before[1] + there[1], before[0] : before[0] + there[0]] = inside
        return out
