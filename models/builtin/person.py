"""The person of a portrait, drawn through its mesh, as finely as the picture or more coarsely."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int32, UInt8

from models.builtin.kernels import backward_map, soften_outlines
from models.builtin.puppet import Shape
from models.builtin.relief import Relief

Points = Float[np.ndarray, "n 2"]


class Person:
    """Draws in pixels of which each covers `coarseness` x `coarseness` of the picture's. Keeps scratch memory."""

    def __init__(
        self,
        texture: UInt8[np.ndarray, "th tw 4"],
        uv: Points,
        triangles: Int32[np.ndarray, "t 3"],
        picture: tuple[int, int],
        outline_step: float,
        coarseness: int = 1,
    ) -> None:
        """`uv`: pixels of the texture; `picture`: its width and height; `outline_step`: as `soften_outlines` has it,
        of neighbouring pixels of the picture."""
        self._coarseness, self._triangles, self._picture = coarseness, triangles, picture
        self._texture = texture if coarseness == 1 else _averaged(texture, coarseness)
        self._uv = np.ascontiguousarray(self._coarse(uv), np.float32)
        self._outline_step = coarseness * outline_step
        width, height = (-(-side // coarseness) for side in picture)
        self._layer = np.empty((height, width, 4), np.uint8)
        self._whole, self._parts = np.empty((height, width, 2), np.int16), np.zeros((height, width), np.uint16)
        self._depth = np.empty((height, width), np.float32)

    def draw(self, shape: Shape, relief: Relief) -> UInt8[np.ndarray, "h w 4"]:
        """The person alone at the picture's size, premultiplied; valid until the next call."""
        vertices = self._rasterise(shape)
        self._layer.fill(0)  # "transparent" leaves what no triangle covered as it is, and is the fastest border
        cv2.remap(
            self._texture,
            self._whole,
            self._parts,
            cv2.INTER_LINEAR,
            dst=self._layer,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        relief.apply(self._layer, self._whole, self._parts, vertices, shape.canonical, self._coarseness)
        soften_outlines(self._layer, self._depth, self._outline_step)
        if self._coarseness == 1:
            return self._layer
        width, height = self._picture
        finer = cv2.resize(self._layer, None, fx=self._coarseness, fy=self._coarseness, interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(finer[:height, :width])

    def coverage(self, shape: Shape) -> Bool[np.ndarray, "h w"]:
        """Where the mesh lies, in pixels of its own."""
        self._rasterise(shape)
        return self._whole[..., 0] >= 0

    def _rasterise(self, shape: Shape) -> Points:
        """Fills the map from pixels to the texture; returns where the vertices are, in pixels."""
        vertices = self._coarse(shape.vertices[:, :2])
        backward_map(
            np.ascontiguousarray(vertices, np.float32),
            np.ascontiguousarray(shape.vertices[:, 2], np.float32),
            self._uv,
            self._triangles,
            self._texture.shape[1],
            self._texture.shape[0],
            self._whole,
            self._parts,
            self._depth,
        )
        return vertices

    def _coarse(self, points: Points) -> Points:
        """Points of picture or texture in pixels that are so much larger."""
        return points if self._coarseness == 1 else (points + 0.5) / self._coarseness - 0.5


def _averaged(texture: UInt8[np.ndarray, "th tw 4"], coarseness: int) -> UInt8[np.ndarray, "sh sw 4"]:
    """Means of `coarseness` x `coarseness` pixels; what the last ones lack is transparent."""
    height, width = (-(-side // coarseness) * coarseness for side in texture.shape[:2])
    whole = np.zeros((height, width, 4), np.uint8)
    whole[: texture.shape[0], : texture.shape[1]] = texture
    size = (width // coarseness, height // coarseness)
    return cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
