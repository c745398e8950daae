"""Pictures of an avatar package: WebP files, and an atlas of the small ones."""

from collections.abc import Mapping
from io import BytesIO

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

_WIDTH = 384  # of an atlas, pixels
_GUTTER = 4
"""Pixels around each picture that repeat its edge: lossy coding mixes neighbours."""

_SOFT_PX, _SHARP_PX, _FADE_PX = 3.0, 8.0, 24.0  # of the margin

Picture = np.ndarray


class Atlas:
    """Small pictures in one, in rows, the tallest first."""

    def __init__(self, layers: Mapping[str, Picture]) -> None:
        """`layers`: RGB or RGBA, colours 0..255, alpha 0..1."""
        self.places: dict[str, list[int]] = {}
        """Name -> left, top, width and height."""
        width = max([_WIDTH, *(layer.shape[1] + 2 * _GUTTER for layer in layers.values())])
        left, top, row = 0, 0, 0
        for name in sorted(layers, key=lambda name: -layers[name].shape[0]):
            h, w = layers[name].shape[:2]
            if left + w + 2 * _GUTTER > width:
                left, top, row = 0, top + row, 0
            self.places[name] = [left + _GUTTER, top + _GUTTER, w, h]
            left, row = left + _even(w + 2 * _GUTTER), max(row, _even(h + 2 * _GUTTER))
        self.colours: Float32[np.ndarray, "h w 3"] = np.zeros((top + row, width, 3), np.float32)
        self.alpha: Float32[np.ndarray, "h w"] = np.ones((top + row, width), np.float32)
        for name, (x, y, w, h) in self.places.items():
            part = np.s_[y - _GUTTER : y + h + _GUTTER, x - _GUTTER : x + w + _GUTTER]
            edged = cv2.copyMakeBorder(layers[name], _GUTTER, _GUTTER, _GUTTER, _GUTTER, cv2.BORDER_REPLICATE)
            self.colours[part] = edged[..., :3]
            if edged.shape[2] == 4:
                self.alpha[part] = edged[..., 3]


def lossy(colours: Picture, quality: int) -> bytes:
    """A WebP file of RGB, 0..255."""
    return _webp(_bytes(colours), quality=quality)


def lossless(mask: Float32[np.ndarray, "h w"], step: int = 1) -> bytes:
    """A WebP file of 0..1 as grey, in so many steps of 1/255."""
    stepped = step * np.rint(mask * (255 / step))
    return _webp(np.repeat(_bytes(stepped)[..., None], 3, axis=2), lossless=True, quality=100)


def smaller(picture: UInt8[np.ndarray, "h w 3"], factor: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Means of `factor` x `factor` pixels."""
    height, width = picture.shape[:2]
    return cv2.resize(picture, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA)


def soften_margin(
    colours: Float32[np.ndarray, "h w 3"], alpha: Float32[np.ndarray, "h w"], margin: int
) -> Float32[np.ndarray, "h w 3"]:
    """The same with less detail beyond the picture's edges, `margin` pixels from those of `colours`.

    It was continued there from what the photo shows, and is seen for moments.
    """
    height, width = alpha.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    beyond = margin - np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    known = (alpha > 0).astype(np.float32)
    blurred = cv2.GaussianBlur(colours * known[..., None], (0, 0), _SOFT_PX)
    blurred /= np.maximum(cv2.GaussianBlur(known, (0, 0), _SOFT_PX), 1e-3)[..., None]
    share = np.clip((beyond - _SHARP_PX) / _FADE_PX, 0, 1)[..., None]
    return colours + (blurred - colours) * share


def _bytes(values: Picture) -> UInt8[np.ndarray, "..."]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _webp(pixels: UInt8[np.ndarray, "h w 3"], **options: object) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", method=6, **options)
    return file.getvalue()


def _even(pixels: int) -> int:
    return pixels + pixels % 2
