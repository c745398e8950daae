"""Where the square that the networks draw lies in the portrait, as the head moves.

The networks are always given, and always draw, a square that a face lies in the middle of (`crop`). So a head that is
shifted, or nearer, is drawn alike; here the square itself goes where the face has gone.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from models.bfm import to_picture
from models.camera import row_rotation
from models.face_fit.objective import Coefficients
from models.goha.crop import SIDE, Square, five_points, square_of
from models.morphable import MorphableModel

_SEAM = 0.06
"""Of the square's side: how wide its edges pass over into what stands still around it."""

Image = UInt8[np.ndarray, "h w 3"]
Drawn = UInt8[np.ndarray, "512 512 4"]
"""Colours multiplied by alpha, and alpha."""


class Placing:
    """The way of pictures from the square back into the portrait."""

    def __init__(self, model: MorphableModel, fit: Coefficients, square: Square) -> None:
        """`fit`: of the portrait, in the square's picture; `square`: what was cut out."""
        keypoints, identity = model.keypoints68, np.tensordot(fit.identity, model.identity[:, model.keypoints68], 1)
        self._mean, self._points = five_points(model.mean[keypoints]), five_points(model.mean[keypoints] + identity)
        self._square, self._rest = square, self._seen(fit)

    def __call__(self, shown: Coefficients) -> Square:
        """Where the square lies for a face of this pose; at rest, where it was cut out."""
        now, rest, square = self._seen(shown), self._rest, self._square
        pixels = square.side / SIDE
        return Square(
            left=square.left + pixels * (now.left - rest.left),
            top=square.top + pixels * (now.top - rest.top),
            side=square.side * now.side / rest.side,
        )

    def _seen(self, fit: Coefficients) -> Square:
        """In the square's picture."""
        posed = self._points @ row_rotation(fit.euler) + fit.translation
        return square_of(to_picture(posed, SIDE)[:, :2], self._mean)


def place(drawn: Drawn, square: Square, behind: Image, around: Image) -> Image:
    """A new picture.

    Args:
        drawn: the person.
        square: where in the picture.
        behind: what stands behind the person, of the picture's size.
        around: what stands around the square, into which it passes over softly.
    """
    height, width = behind.shape[:2]
    scale = square.side / SIDE
    half = (scale - 1) / 2  # of a pixel: centres lie on centres
    way = np.array([[scale, 0, square.left + half], [0, scale, square.top + half]])
    seen = cv2.warpAffine(drawn, way, (width, height), flags=cv2.INTER_LINEAR)
    within = cv2.warpAffine(_SOFT, way, (width, height), flags=cv2.INTER_LINEAR)[..., None]
    person = seen[..., :3] + (1 - seen[..., 3:] / np.float32(255)) * behind
    return np.clip(np.rint(within * person + (1 - within) * around), 0, 255).astype(np.uint8)


def _soft_edges() -> Float32[np.ndarray, "512 512"]:
    """1 inside, falling to 0 towards the edges."""
    place: Float[np.ndarray, 512] = np.arange(SIDE) + 0.5
    ramp = np.clip(np.minimum(place, SIDE - place) / (_SEAM * SIDE), 0, 1)
    return (ramp[:, None] * ramp).astype(np.float32)


_SOFT = _soft_edges()
