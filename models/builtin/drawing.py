"""Small things that eyes and mouth are painted with, all on a cut-out of the picture."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

Polygon = Float[np.ndarray, "n 2"]
Affine = Float[np.ndarray, "2 3"]
Layer = Float32[np.ndarray, "h w c"]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of RGB in brightness."""

_SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class Box:
    """A cut-out of the picture in whole pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, polygon: Polygon, pad: int, shape: tuple[int, ...]) -> "Box | None":
        """The polygon's bounding box, `pad` larger, cut to a picture of `shape`; None when too little is left."""
        left, top = (max(int(v) - pad, 0) for v in np.floor(polygon.min(0)))
        right, bottom = (int(v) + pad for v in np.ceil(polygon.max(0)))
        box = cls(left, top, min(right, shape[1]), min(bottom, shape[0]))
        return box if box.right - box.left >= 3 and box.bottom - box.top >= 3 else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def cut(self, image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h2 w2 3"]:
        """A view of the picture."""
        return image[self.top : self.bottom, self.left : self.right]

    def mask(self, polygon: Polygon, blur: float) -> Float32[np.ndarray, "h w"]:
        """1 inside the polygon, antialiased and blurred by `blur` pixels."""
        mask = np.zeros((self.bottom - self.top, self.right - self.left), np.uint8)
        cv2.fillPoly(mask, [self._fixed(polygon)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        return cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32) * np.float32(1 / 255)

    def stroke(self, line: Polygon, thickness: int, blur: float) -> Float32[np.ndarray, "h w"]:
        """1 on an open line."""
        mask = np.zeros((self.bottom - self.top, self.right - self.left), np.uint8)
        cv2.polylines(mask, [self._fixed(line)], False, 255, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
        return cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32) * np.float32(1 / 255)

    def warp(self, layer: Layer, matrix: Affine, replicate: bool) -> Float32[np.ndarray, "h2 w2 c"]:
        """A layer seen through `matrix` (layer pixels -> picture pixels), cut to the box."""
        local = matrix - np.array([[0, 0, self.left], [0, 0, self.top]])
        border = cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT
        seen = cv2.warpAffine(layer, local, self.size, flags=cv2.INTER_LINEAR, borderMode=border)
        return seen.reshape(*seen.shape[:2], layer.shape[2])

    def blend(
        self,
        image: UInt8[np.ndarray, "h w 3"],
        colour: Float32[np.ndarray, "h2 w2 3"],
        alpha: Float32[np.ndarray, "h2 w2"],
    ) -> None:
        """Paints `colour` over the picture, in place."""
        part = self.cut(image)
        part[:] = np.clip(part + (colour - part) * alpha[..., None] + 0.5, 0, 255).astype(np.uint8)

    def _fixed(self, points: Polygon) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
        shifted = (points - [self.left, self.top]) * (1 << _SUBPIXEL_BITS)
        return np.round(shifted).astype(np.int32)


def blur_px(blur: tuple[float, float], size_px: float) -> float:
    """A blur that is told by its least, in pixels, and as a part of a size."""
    return max(blur[0], blur[1] * size_px)


def area(polygon: Polygon) -> float:
    """Enclosed area in square pixels."""
    return float(cv2.contourArea(polygon.astype(np.float32)))


def translate(matrix: Affine, shift: Float[np.ndarray, "2"]) -> Affine:
    """`matrix` followed by a shift."""
    out = matrix.copy()
    out[:, 2] += shift
    return out


def compose(outer: Affine, inner: Affine) -> Affine:
    """`outer` after `inner`."""
    return np.hstack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]])


def spread(
    image: Float32[np.ndarray, "h w 3"], known: Float32[np.ndarray, "h w"], width: float
) -> Float32[np.ndarray, "h w 3"]:
    """Known pixels continued smoothly over the rest (normalised convolution at three scales)."""
    total, weight = np.zeros_like(image), np.zeros_like(known)
    for sigma, share in ((0.1, 1.0), (0.3, 0.05), (1.0, 0.002)):
        total += share * cv2.GaussianBlur(image * known[..., None], (0, 0), sigma * width)
        weight += share * cv2.GaussianBlur(known, (0, 0), sigma * width)
    return total / np.maximum(weight, 1e-6)[..., None]
