"""The square of a photo that the networks are given: where the head is as large as in their training.

The released code turns no photo, it shifts and scales: such that the mean face, laid over five points of the face, has
its middle in the middle of the square, and the square is 700/300 decimetres wide.
"""

import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.squares import Square

SIDE = 512
"""Of the networks' pictures, in pixels."""
_WIDTH_DM = 700 / 300
NEARNESS_DM = CAMERA_DISTANCE - FOCAL * _WIDTH_DM
"""How near to the face model's camera a face is that fills its picture as faces fill the square."""
_EYES, _NOSE, _MOUTH = ((36, 39), (42, 45)), 30, (48, 54)
"""iBUG's points: the corners of both eyes, the tip of the nose, the corners of the mouth."""

FivePoints = Float[np.ndarray, "5 2"]
"""Middles of the eyes, the left one in the picture first; tip of the nose; corners of the mouth. Pixels, x right and y
down from the picture's edges."""
Photo = UInt8[np.ndarray, "h w *c"]
"""RGB, or of one channel."""


def cut_out(photo: Photo, square: Square) -> UInt8[np.ndarray, "512 512 *c"]:
    """A square's part of a photo, at the networks' size; black beyond the photo's edges."""
    height, width = photo.shape[:2]
    before = max(0, int(np.ceil(-min(square.left, square.top))))
    after = max(0, int(np.ceil(max(square.left + square.side - width, square.top + square.side - height))))
    padded = np.pad(photo, [(before, after)] * 2 + [(0, 0)] * (photo.ndim - 2))
    left, top = square.left + before, square.top + before
    box = (left, top, left + square.side, top + square.side)
    return np.asarray(Image.fromarray(padded).resize((SIDE, SIDE), Image.Resampling.LANCZOS, box))


def five_points(points68: Float[np.ndarray, "68 d"]) -> Float[np.ndarray, "5 d"]:
    """Of a face's 68 points, in space or in a picture, the five that its square is found by; see `FivePoints`."""
    points = points68.astype(np.float64)
    eyes = [points[list(corners)].mean(0) for corners in _EYES]
    return np.stack([*eyes, points[_NOSE], *points[list(_MOUTH)]])


def square_of(points: FivePoints, mean: Float[np.ndarray, "5 3"]) -> Square:
    """Where the face with these points is to be cut out; `mean`: those of the mean face, decimetres."""
    places = np.concatenate([mean, np.ones((5, 1))], axis=1)
    across, down = np.linalg.lstsq(places, points.astype(np.float64), rcond=None)[0].T
    pixels_per_dm = (np.linalg.norm(across[:3]) + np.linalg.norm(down[:3])) / 2
    side = float(_WIDTH_DM * pixels_per_dm)
    return Square(float(across[3]) - side / 2, float(down[3]) - side / 2, side)


def network_picture(
    cut: UInt8[np.ndarray, "512 512 3"], matte: Float32[np.ndarray, "512 512"]
) -> Float32[np.ndarray, "3 512 512"]:
    """What is cut out as the networks want it: -1..1, -1 around the person; `matte`: 0..1, 1 on the person."""
    person = np.floor(cut * matte[..., None])  # the released code stores the masked picture in bytes
    return np.ascontiguousarray((person / 127.5 - 1).transpose(2, 0, 1), np.float32)
