"""Where the square that the networks draw lies in the portrait, as the head moves.

The networks are always given, and always draw, a square that a face lies in the middle of (`crop`); the released code
cuts it out of every picture of a driver anew. So the square goes where the face has gone, and the pose is told as it is
within: a head that is shifted, or nearer, is drawn alike.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from models.bfm import CAMERA_DISTANCE, FOCAL, to_picture
from models.builtin.kernels import over
from models.camera import row_rotation
from models.face_fit.objective import Coefficients
from models.goha.crop import SIDE, five_points, square_of
from models.morphable import MorphableModel
from models.square_kernels import pass_over
from models.squares import Square, placed, ramp, within

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

    def __call__(self, shown: Coefficients) -> tuple[Square, Coefficients]:
        """Where the square lies for a face of this pose, at rest where it was cut out; and the pose in its picture."""
        now, rest, square = self._seen(shown), self._rest, self._square
        pixels, larger = square.side / SIDE, now.side / rest.side
        placed = Square(
            left=square.left + pixels * (now.left - rest.left),
            top=square.top + pixels * (now.top - rest.top),
            side=square.side * larger,
        )
        x, y, z = (float(value) for value in shown.translation)
        away = CAMERA_DISTANCE - z
        dm = away / (FOCAL * SIDE)
        across = (now.left - rest.left + (now.side - rest.side) / 2) * dm
        down = (now.top - rest.top + (now.side - rest.side) / 2) * dm
        within = np.array([x - across, y + down, CAMERA_DISTANCE - larger * away], np.float32)
        return placed, replace(shown, translation=within)

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
    rows, columns = within(square.top, square.side, height), within(square.left, square.side, width)
    out = around.copy()
    seen = out[rows, columns]
    if seen.size:
        part = Square(square.left - columns.start, square.top - rows.start, square.side)
        person = np.empty(seen.shape, np.uint8)
        over(placed(drawn, part, (seen.shape[1], seen.shape[0])), np.ascontiguousarray(behind[rows, columns]), person)
        pass_over(person, ramp(rows, square.top, square.side), ramp(columns, square.left, square.side), seen)
    return out
