"""Glasses: what a lens reflects and a rim hides stays with the head, eye and lid move behind it."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from models.builtin.drawing import LUMA, Affine, Box, translate
from models.builtin.reflection import find_reflection
from models.builtin.rim import find_rim
from models.expression import EyeContour

_MARGIN = 0.55  # parts of the eye's width around it that are looked at

# The bridge of glasses, in distances of the inner eye corners from their middle up and down the nose. It is read on a
# raster of its own, so that figures do not depend on the portrait's size.
_ACROSS, _ABOVE, _BELOW = 0.47, 0.8, 0.6
_RASTER = (32, 84)
_INNER_CORNERS = (133, 362)
_STEP = 0.019  # of skin's brightness from row to row: bare noses stay under 0.016, faint bridges reach 0.023


@dataclass(frozen=True, slots=True, eq=False)
class Lens:
    """What lies in front of one eye."""

    box: Box
    """Where in the portrait."""
    layer: Float32[np.ndarray, "h w 4"]
    """RGB multiplied by alpha, 0..255, and alpha, 0..1; reflections add light and have no alpha."""

    def behind(self, image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """The portrait without it, a new array."""
        out = image.copy()
        part = self.box.cut(out)
        hidden = self.layer[..., 3] > 0.1
        shown = np.clip(part - np.where(hidden[..., None], 0, self.layer[..., :3]) + 0.5, 0, 255).astype(np.uint8)
        part[:] = cv2.inpaint(shown, hidden.astype(np.uint8), 3, cv2.INPAINT_TELEA)
        return out

    def over(self, colour: Float32[np.ndarray, "h2 w2 3"], box: Box, place: Affine) -> Float32[np.ndarray, "h2 w2 3"]:
        """What is painted in `box`, seen through it; `place` takes portrait pixels to picture pixels."""
        origin = np.array([self.box.left, self.box.top], np.float64)
        front = box.warp(self.layer, translate(place, place[:, :2] @ origin), replicate=False)
        return colour * (1 - front[..., 3:]) + front[..., :3]


def wears_glasses(image: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"]) -> bool:
    """Whether an edge runs across the bridge of the nose."""
    right, left = (landmarks[i, :2].astype(np.float64) for i in _INNER_CORNERS)
    across = left - right
    down = np.array([-across[1], across[0]])
    columns, rows = _RASTER
    corner = 0.5 * (right + left) - 0.5 * _ACROSS * across - _ABOVE * down
    to_picture = np.column_stack([_ACROSS * across / columns, (_ABOVE + _BELOW) * down / rows, corner])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    strip = cv2.warpAffine(image, to_picture, _RASTER, flags=flags, borderMode=cv2.BORDER_REPLICATE) @ LUMA
    step = np.median(np.gradient(cv2.GaussianBlur(strip, (0, 0), 1.0), axis=0), axis=1)
    return bool(np.abs(step).max() > _STEP * max(float(np.median(strip)), 1.0))


def find_lens(
    contour: EyeContour, image: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"]
) -> Lens | None:
    """What of a portrait's glasses reaches into one eye; None if nothing does."""
    outline = landmarks[contour.closed, :2].astype(np.float64)
    width = float(np.linalg.norm(outline[0] - outline[len(contour.upper) - 1]))
    box = Box.around(outline, round(_MARGIN * width) + 2, image.shape)
    if box is None:
        return None
    around, inside = box.cut(image).astype(np.float32), box.mask(outline, 0.5) > 0.5
    if not inside.any():
        return None
    iris: Float32[np.ndarray, "5 2"] = landmarks[contour.iris, :2] - np.array([box.left, box.top], np.float32)
    light = find_reflection(around, inside, iris, width)
    rim = find_rim(around if light is None else around - light, inside, iris, width)
    if light is None and rim is None:
        return None
    shape = inside.shape
    layer = np.dstack([np.zeros((*shape, 3), np.float32) if light is None else light, np.zeros(shape, np.float32)])
    return Lens(box, layer if rim is None else rim + layer * (1 - rim[..., 3:]))
