"""The square of a portrait that the networks draw, and the way back."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from models.real3d.source import SIDE
from models.square_kernels import pass_over
from models.squares import ramp, resized

_SMALLEST_FACE = 0.2
"""Of the square, the box around the landmarks: as the networks were trained."""

Image = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, slots=True)
class Window:
    """A square of a picture, in its pixels."""

    left: int
    top: int
    side: int

    def cut(self, image: np.ndarray, side: int = SIDE) -> np.ndarray:
        """The square's part of a picture, so many pixels a side; the networks' size unless another is given."""
        part = image[self.top : self.top + self.side, self.left : self.left + self.side]
        return np.ascontiguousarray(resized(part, side))

    def landmarks(self, points: Float32[np.ndarray, "n 3"], side: int = SIDE) -> Float32[np.ndarray, "n 3"]:
        """Points of the picture in pixels of what `cut` gives."""
        moved: Float32[np.ndarray, "n 3"] = points - np.array([self.left, self.top, 0], np.float32)
        return moved * np.float32(side / self.side)

    def paste(self, drawn: UInt8[np.ndarray, "512 512 3"], image: Image) -> Image:
        """A new picture: `image` with the square drawn; softly where the square ends within the picture."""
        height, width = image.shape[:2]
        drawn = resized(drawn, self.side)
        if self.side == height == width:
            return drawn
        rows, columns = slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)
        down = ramp(rows, self.top, self.side, self.top > 0, self.top + self.side < height)
        across = ramp(columns, self.left, self.side, self.left > 0, self.left + self.side < width)
        out = image.copy()
        pass_over(drawn, down, across, out[rows, columns])
        return out


def window_of(landmarks: Float32[np.ndarray, "478 3"], width: int, height: int) -> Window:
    """The largest square that lies in the picture and in which the face is large enough.

    It is centred on the face as far as the picture allows.
    """
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    largest = np.sqrt(float(np.prod(high - low)) / _SMALLEST_FACE)
    side = int(min(max(largest, float((high - low).max())), width, height))
    left, top = np.clip(np.round((low + high) / 2 - side / 2), 0, [width - side, height - side]).astype(int)
    return Window(int(left), int(top), side)
