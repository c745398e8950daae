"""Cuts what is between the driver's lips out of a frame, and nothing else."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from models.ease import smoothstep
from models.face import FaceModel
from models.landmarks import Landmarks
from models.motion import MouthPatch
from models.pose import fit_pose
from models.skin import cheek_colour
from models.topology import INNER_LIPS

WIDTH, HEIGHT = 80, 48
"""Pixels of a patch."""

_MARGIN = 3.0  # pixels of the patch around the lips
_SMALLEST_PX = 8.0  # width of a mouth that can be told from its lips
_OPENING = (0.02, 0.06)  # area between the lips, in squares of the mouth's width, over which the patch comes in
_GAP_PX = (2.5, 5.0)  # the same for the mean gap in the frame: of less, hardly a pixel is free of the lips' colour
_TURNED = (np.deg2rad(30), np.deg2rad(40))  # away from the camera, where the lips' far side is guessed
_LIPS_BLEED = 0.015  # mouth widths, at least a pixel: how far the colour of lips reaches in
_RIGHT_CORNER, _LEFT_CORNER = 0, 10  # of INNER_LIPS
_FINER = 2  # times as fine as the patch a frame is sampled, since a mouth near the camera is larger than a patch
_KNOWN = 0.5  # part of a patch's pixel that is between the lips

Lips = Float[np.ndarray, "20 2"]


class MouthCutter:
    """Frame and landmarks -> patch. Stateless. Pixels outside the lips are gone before anything is resampled."""

    def __init__(self, model: FaceModel) -> None:
        self._mean = model.mean

    def __call__(self, image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks) -> MouthPatch | None:
        """The patch; None while the mouth is closed, tiny, turned away or not wholly in the picture."""
        lips = landmarks[INNER_LIPS, :2].astype(np.float64)
        weight = self._weight(landmarks, lips)
        if weight == 0.0 or (lips < 0).any() or (lips > [image.shape[1] - 1, image.shape[0] - 1]).any():
            return None
        left, top = (int(v) for v in np.floor(lips.min(0)))
        right, bottom = (int(v) + 1 for v in np.ceil(lips.max(0)))
        corner, part = np.array([left, top]), image[top:bottom, left:right]
        matrix = _onto_patch(lips)
        pixels = _sample(part, _between(lips - corner, (bottom - top, right - left)), matrix, corner)
        if not pixels.any():
            return None
        moved = lips @ matrix[:, :2].T + matrix[:, 2]
        return MouthPatch(pixels, moved.astype(np.float32), cheek_colour(image, landmarks), weight)

    def _weight(self, landmarks: Landmarks, lips: Lips) -> float:
        width = _width(lips)
        if width < _SMALLEST_PX:
            return 0.0
        turned = float(np.arccos(np.clip(fit_pose(landmarks, self._mean).rotation[2, 2], -1, 1)))
        gap_px = cv2.contourArea(lips.astype(np.float32)) / width
        opened = smoothstep(*_OPENING, gap_px / width) * smoothstep(*_GAP_PX, gap_px)
        return opened * (1 - smoothstep(*_TURNED, turned))


def _width(lips: Lips) -> float:
    return float(np.linalg.norm(lips[_LEFT_CORNER] - lips[_RIGHT_CORNER]))


def _between(lips: Lips, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Pixels that are wholly between the lips."""
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.round(lips * 16).astype(np.int32)], 1, cv2.LINE_8, 4)  # with those that the contour touches
    bleed = max(1, round(_LIPS_BLEED * _width(lips)))
    square = np.ones((3, 3), np.uint8)
    return cv2.erode(mask, square, iterations=bleed, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0


def _onto_patch(lips: Lips) -> Float[np.ndarray, "2 3"]:
    """Frame pixels -> patch pixels: the corners level, the contour as large as fits."""
    x, y = (lips[_LEFT_CORNER] - lips[_RIGHT_CORNER]) / _width(lips)
    level = np.array([[x, y], [-y, x]])
    turned = lips @ level.T
    low, high = turned.min(0), turned.max(0)
    size = np.array([WIDTH, HEIGHT])
    scale = float(((size - 1 - 2 * _MARGIN) / (high - low)).min())
    return np.hstack([scale * level, ((size - 1) / 2 - scale * (low + high) / 2)[:, None]])


def _sample(
    part: UInt8[np.ndarray, "h w 3"],
    inside: Bool[np.ndarray, "h w"],
    matrix: Float[np.ndarray, "2 3"],
    corner: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> UInt8[np.ndarray, "ph pw 3"]:
    """The pixels `inside` of a part of the frame that begins at `corner`, on the patch; black elsewhere."""
    linear = _FINER * matrix[:, :2]
    finer = np.hstack([linear, (_FINER * matrix[:, 2] + linear @ corner + (_FINER - 1) / 2)[:, None]])
    weighted = np.dstack([part * inside[..., None], inside]).astype(np.float32)
    seen = cv2.warpAffine(weighted, finer, (_FINER * WIDTH, _FINER * HEIGHT), flags=cv2.INTER_LINEAR)
    seen = cv2.resize(seen, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    cover = seen[..., 3:]
    colours = np.clip(seen[..., :3] / np.maximum(cover, _KNOWN) + 0.5, 1, 255)
    return np.where(cover >= _KNOWN, colours, 0).astype(np.uint8)
