"""Square pictures that networks draw, on their way into a picture of another size."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

_SEAM = 0.06
"""Of a square's side: how wide its edges pass over into what is around it."""


@dataclass(frozen=True, slots=True)
class Square:
    """A square of a picture, in its pixels: pixel x covers [x, x + 1). It may reach beyond."""

    left: float
    top: float
    side: float


def resized(picture: np.ndarray, side: int) -> np.ndarray:
    """A square picture with so many pixels a side: means of what was there where they are fewer, else bilinear."""
    if side == len(picture):
        return picture
    method = cv2.INTER_AREA if side < len(picture) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side, side), interpolation=method))


def placed(picture: np.ndarray, square: Square, size: tuple[int, int]) -> np.ndarray:
    """A larger picture, zero around a square that shows the given one.

    Where it becomes smaller, it is first averaged to the nearest number of pixels: what a bilinear look between single
    ones would leave out comes and goes as the square moves.

    Args:
        picture: as high as wide.
        square: of the larger picture.
        size: width and height of the larger picture.
    """
    near = resized(picture, min(len(picture), max(1, round(square.side))))
    scale = square.side / len(near)
    half = (scale - 1) / 2  # of a pixel: centres lie on centres
    way = np.array([[scale, 0, square.left + half], [0, scale, square.top + half]])
    return np.asarray(cv2.warpAffine(near, way, size, flags=cv2.INTER_LINEAR))


def within(start: float, side: float, length: int) -> slice:
    """The pixels of a row or column of that length in which a square lies that begins at `start`; maybe none."""
    first, end = (int(np.clip(edge, 0, length)) for edge in (np.floor(start), np.ceil(start + side)))
    return slice(first, end)


def ramp(
    pixels: slice, start: float, side: float, at_start: bool = True, at_end: bool = True
) -> Float32[np.ndarray, "n"]:
    """For each pixel of a row or column 1 inside a square, falling to 0 towards its ends, those that are wanted."""
    place = np.arange(pixels.start, pixels.stop) + (0.5 - start)
    out = np.ones(len(place))
    for wanted, distance in ((at_start, place), (at_end, side - place)):
        if wanted:
            out *= np.clip(distance / (_SEAM * side), 0, 1)
    return out.astype(np.float32)
