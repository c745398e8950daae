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
        """The glimpse of a frame; None before any face.

        It goes with the `face`, if there is one, slowly. `wide`: gradually it becomes as wide as the frame allows.
        """
        if self._place is None:
            return None
        target = self._place.copy() if face is None else self._placed(face)
        if wide:
            target[2] = self._widest(frame.image)
        self._place = self._place + _FOLLOWING * (target - self._place)
        return self._coded(self._cut(frame.image))

    @staticmethod
    def over() -> Glimpse:
        """No more of them: the portrait is true again."""
        return Glimpse(b"")

    def _placed(self, face: Landmarks) -> Place:
        points, photo_points = face[:, :2].astype(np.float64), self._face[:, :2].astype(np.float64)
        middle, photo_middle = points.mean(0), photo_points.mean(0)
        scale = np.linalg.norm(points - middle) / np.linalg.norm(photo_points - photo_middle)
        return np.array([*middle, scale])

    def _cut(self, image: Pixels) -> Cut:
        """The photo's framing, within the frame."""
        assert self._place is not None
        height, width = image.shape[:2]
        scale = min(self._place[2], self._widest(image))
        size = np.maximum(np.floor(np.array(self._size) * scale), 1).astype(int)
        corner = self._place[:2] - self._face[:, :2].mean(0) * scale
        left, top = np.clip(np.round(corner), 0, (width, height) - size).astype(int)
        return image[top : top + size[1], left : left + size[0]]

    def _widest(self, image: Pixels) -> float:
        return min(image.shape[1] / self._size[0], image.shape[0] / self._size[1])

    def _coded(self, image: Cut) -> Glimpse:
        """As fine as its bytes allow; beginning with a little finer than the one before."""
        file = io.BytesIO()
        for rung in range(max(0, self._rung - 1), len(_COARSER)):
            self._rung = rung
            side, quality = _COARSER[rung]
            factor = side / max(self._size)
            size = max(1, round(self._size[0] * factor)), max(1, round(self._size[1] * factor))
            file = io.BytesIO()
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            Image.fromarray(small).save(file, "WEBP", quality=quality, method=_METHOD)
            if file.tell() <= MOST_BYTES:
                break
        return Glimpse(file.getvalue())
