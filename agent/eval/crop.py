"""What is judged of a picture: one square around the head, the same for every engine and instant."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from calibration.framing import Canvas
from models.topology import SURFACE_COUNT

SIDE = 256
"""Pixels of a crop; distances of landmarks are in these."""

_ROOM = 1.8  # of the longer side of the face's landmarks: hair and chin are in it


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of a picture, scaled to `SIDE`."""

    left: int
    top: int
    side: int

    @classmethod
    def around(cls, landmarks: Float[np.ndarray, "478 3"], photo: tuple[int, int], size: tuple[int, int]) -> "Crop":
        """1.8 times as large as the face, about its middle, moved and made smaller until it lies within the photo.

        Args:
            landmarks: of the face at rest, pixels of the picture.
            photo: width and height of what was placed on the picture, as `Canvas.fit` does.
            size: width and height of the picture.
        """
        canvas = Canvas.fit(photo, size)
        begin = np.array([canvas.left, canvas.top])
        end = np.minimum(begin + np.round(np.multiply(photo, canvas.scale)), size)
        low, high = landmarks[:SURFACE_COUNT, :2].min(0), landmarks[:SURFACE_COUNT, :2].max(0)
        side = int(min(round(_ROOM * float((high - low).max())), *(end - begin)))
        left, top = np.clip(np.round((low + high) / 2 - side / 2), begin, end - side).astype(int).tolist()
        return cls(left, top, side)

    def of(self, image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "256 256 3"]:
        """The square's pixels."""
        part = image[self.top : self.top + self.side, self.left : self.left + self.side]
        way = cv2.INTER_AREA if self.side > SIDE else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, (SIDE, SIDE), interpolation=way))

    def points(self, landmarks: Float[np.ndarray, "478 3"]) -> Float[np.ndarray, "478 3"]:
        """Pixels of the picture -> of the crop."""
        scale = SIDE / self.side
        return (landmarks + [0.5 - self.left, 0.5 - self.top, 0.0]) * scale - [0.5, 0.5, 0.0]
