"""Faces taken off pictures: whatever the pose and the shape, each feature lies at the same place."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from models.face import FaceModel
from models.raster import rasterise
from models.topology import SURFACE_COUNT

SIDE = 64
"""Pixels of an unwrapped face, each way."""

Luma = Float32[np.ndarray, "64 64"]
Mask = Bool[np.ndarray, "64 64"]

_LEAST_FACING = 0.3  # of what faces the camera best, below which skin is too much turned away to be compared
_CORNERS = 3  # of a triangle


@dataclass(frozen=True, slots=True, eq=False)
class Unwrapped:
    """A face from the front."""

    luma: Luma
    """0..255."""
    seen: Mask
    """Where there is skin that looks towards the camera; neither eyes nor what is between the lips."""


class Unwrap:
    """The mean face's skin, seen from the front, as a grid over its triangles."""

    def __init__(self, model: FaceModel) -> None:
        mean = model.mean[:SURFACE_COUNT].astype(np.float32)
        low, high = mean[:, :2].min(0), mean[:, :2].max(0)
        step = (SIDE - 1) / (high - low)
        flat = np.column_stack([(mean[:, :2] - low) * step, mean[:, 2]]).astype(np.float32)
        drawn = rasterise(flat, model.triangles, np.eye(SURFACE_COUNT, dtype=np.float32), (SIDE, SIDE))
        self._corners = np.argsort(drawn.image, axis=2)[..., -_CORNERS:]
        self._weights = np.take_along_axis(drawn.image, self._corners, 2)
        self.skin: Mask = drawn.mask

    def __call__(self, picture: UInt8[np.ndarray, "h w 3"], points: Float[np.ndarray, "468 2"]) -> Unwrapped:
        """The face of an RGB picture whose landmarks are at `points`, pixels."""
        at = (points[self._corners] * self._weights[..., None]).sum(2)
        down, across = np.gradient(at, axis=(0, 1))
        facing = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]  # pixels of the picture per one of ours
        best = max(float(np.percentile(facing[self.skin], 80)), 1e-6)
        height, width = picture.shape[:2]
        within = (at >= 0).all(2) & (at <= (width - 1, height - 1)).all(2)
        left, top = np.clip(np.floor(points.min(0)).astype(int), 0, (width - 1, height - 1))
        right, bottom = np.clip(np.ceil(points.max(0)).astype(int) + 1, (left + 1, top + 1), (width, height))
        face = cv2.cvtColor(np.ascontiguousarray(picture[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
        size = np.maximum(np.round(np.array(face.shape[::-1]) / max(np.sqrt(best), 1.0)), 1).astype(int)
        small = cv2.resize(face, tuple(size.tolist()), interpolation=cv2.INTER_AREA)
        scale = size / (face.shape[1], face.shape[0])
        there = ((at - (left, top) + 0.5) * scale - 0.5).astype(np.float32)
        luma = cv2.remap(small, there, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return Unwrapped(luma.astype(np.float32), self.skin & within & (facing > _LEAST_FACING * best))
