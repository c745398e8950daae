"""Where the square that the networks draw lies in the portrait, as the head moves.

The networks are always given, and always draw, a square that a face lies in the middle of (`crop`). So a head that is
shifted, or nearer, is drawn alike; here the square itself goes where the face has gone.
"""

import numpy as np
from jaxtyping import UInt8

from models.bfm import to_picture
from models.camera import row_rotation
from models.face_fit.objective import Coefficients
from models.goha.crop import SIDE, five_points, square_of
from models.morphable import MorphableModel
from models.squares import Square, placed, ramp

_SOFT = ramp(SIDE)[:, None] * ramp(SIDE)
"""How much of the square is shown: 1 inside, falling to 0 towards its edges."""

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
    seen, within = (placed(x, square, (width, height)) for x in (drawn, _SOFT))
    person = seen[..., :3] + (1 - seen[..., 3:] / np.float32(255)) * behind
    weight = within[..., None]
    return np.clip(np.rint(weight * person + (1 - weight) * around), 0, 255).astype(np.uint8)
