"""Cuts what is between the driver's lips out of a frame, and nothing else."""

import logging
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from models.face import FaceModel
from models.landmarks import Landmarks
from models.motion import MouthPatch
from models.pose import fit_pose
from models.skin import cheek_colour
from models.topology import INNER_LIPS, OUTER_LIPS

WIDTH, HEIGHT = 80, 48
"""Pixels of a patch."""

_MARGIN = 3.0  # pixels of the patch around the lips
_SMALLEST_PX = (96.0, 88.0)  # eye distance of a face whose teeth are more than a smudge, to be shown and to stay
_OPEN = (0.07, 0.055)  # mean gap in widths of the mouth, the same: landmarks of smiling closed lips gape by 0.05
_TURNED = (np.deg2rad(30), np.deg2rad(40))  # away from the camera, the same: lips' far side is guessed
_HOLD_NS = 400_000_000  # for so long the last open mouth stands in when lips have closed between two sounds
_EASE_NS = 150_000_000
_LIPS_BLEED = 0.015  # mouth widths, at least a pixel: how far the colour of lips reaches in
_RIGHT_CORNER, _LEFT_CORNER = 0, 10  # of INNER_LIPS
_FINER = 2  # times as fine as the patch a frame is sampled, since a mouth near the camera is larger than a patch
_LIKE_LIPS, _LIP_NOISE = 2.5, np.array([12, 4, 4], np.float32)  # deviations of their colour, and the least (8-bit Lab)
_FEWEST_LIP_PIXELS = 20
_LEAST_SEEN = 0.3  # part of a contour that is not lips, below which there is nothing to be seen between them
_KNOWN = 0.5  # part of a patch's pixel that is between the lips

Contour = Float[np.ndarray, "20 2"]
"""Inner or outer lips in pixels of the frame."""

logger = logging.getLogger(__name__)


class MouthCutter:
    """Frames and landmarks -> patches. Pixels outside the lips are gone before anything is resampled.

    So that it does not flicker, a mouth comes and goes over 0.15 s of capture time, the last open one stands in while
    lips close between two sounds, and what is open, large and frontal enough to stay is less than what is to come.
    """

    def __init__(self, model: FaceModel) -> None:
        self._mean = model.mean
        self._last: MouthPatch | None = None
        self._weight = 0.0
        self._seen_ns = 0
        self._pts_ns: int | None = None
        self._large = self._frontal = self._open = self._told = False

    def __call__(self, image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks, pts_ns: int) -> MouthPatch | None:
        """The patch of a frame captured at `pts_ns`, or the last one fading; None where there has been none for long.

        There is none while the mouth is closed, too small (which is said once), turned away or not wholly in the
        picture.
        """
        lips = landmarks[INNER_LIPS, :2].astype(np.float64)
        patch = self._cut(image, landmarks, lips) if self._can_be_told(landmarks, lips) else None
        if patch is not None:
            self._last, self._seen_ns = patch, pts_ns
        held = self._last is not None and self._large and self._frontal and pts_ns - self._seen_ns <= _HOLD_NS
        step = 0.0 if self._pts_ns is None else max(pts_ns - self._pts_ns, 0) / _EASE_NS
        self._weight = min(self._weight + step, 1.0) if held else max(self._weight - step, 0.0)
        self._pts_ns = pts_ns
        if self._weight == 0.0:
            self._last = None
        return None if self._last is None else replace(self._last, weight=self._weight)

    def _can_be_told(self, landmarks: Landmarks, lips: Contour) -> bool:
        """Whether something is between the lips, by more than landmarks err."""
        pose = fit_pose(landmarks, self._mean)
        turned = np.arccos(np.clip(pose.rotation[2, 2], -1, 1))
        width = _width(lips)
        self._large = bool(pose.scale >= _SMALLEST_PX[self._large])
        self._frontal = bool(turned <= _TURNED[self._frontal])
        self._open = width > 0 and cv2.contourArea(lips.astype(np.float32)) >= _OPEN[self._open] * width**2
        if not self._large and not self._told:
            self._told = True
            logger.warning(
                "the driver's face is too small (%d pixels between the eye corners, of %d) for its mouth to be shown, "
                "and teeth are painted: come nearer, or give a larger picture",
                pose.scale,
                _SMALLEST_PX[False],
            )
        return self._large and self._frontal and self._open

    @staticmethod
    def _cut(image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks, lips: Contour) -> MouthPatch | None:
        """None where the picture does not hold the whole mouth."""
        if (lips < 0).any() or (lips > [image.shape[1] - 1, image.shape[0] - 1]).any():
            return None
        left, top = (int(v) for v in np.floor(lips.min(0)))
        right, bottom = (int(v) + 1 for v in np.ceil(lips.max(0)))
        corner, part = np.array([left, top]), image[top:bottom, left:right]
        matrix = _onto_patch(lips)
        between = _between(lips - corner, (bottom - top, right - left))
        seen = _without_lips(image, between, lips, landmarks[OUTER_LIPS, :2].astype(np.float64), corner)
        if not seen.any() or seen.sum() < _LEAST_SEEN * between.sum():
            return None
        pixels = _sample(part, seen, matrix, corner)
        moved = lips @ matrix[:, :2].T + matrix[:, 2]
        return MouthPatch(pixels, moved.astype(np.float32), cheek_colour(image, landmarks))


def _width(lips: Contour) -> float:
    return float(np.linalg.norm(lips[_LEFT_CORNER] - lips[_RIGHT_CORNER]))


def _between(lips: Contour, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Pixels that are wholly between the lips."""
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.round(lips * 16).astype(np.int32)], 1, cv2.LINE_8, 4)  # with those that the contour touches
    bleed = max(1, round(_LIPS_BLEED * _width(lips)))
    square = np.ones((3, 3), np.uint8)
    return cv2.erode(mask, square, iterations=bleed, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0


def _without_lips(
    image: UInt8[np.ndarray, "h w 3"],
    between: Bool[np.ndarray, "ph pw"],
    inner: Contour,
    outer: Contour,
    corner: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> Bool[np.ndarray, "ph pw"]:
    """What of `between`, a part of the picture at `corner`, is not coloured like lips from its rim inwards.

    Tracked contours gape where lips are pursed, and lie on a lip where it is drawn in.
    """
    low = np.clip(np.floor(outer.min(0)).astype(np.int64), 0, corner)
    high = np.maximum(np.ceil(outer.max(0)).astype(np.int64) + 1, corner + between.shape[::-1])
    lab = cv2.cvtColor(image[low[1] : high[1], low[0] : high[0]], cv2.COLOR_RGB2LAB).astype(np.float32)
    ring = np.zeros(lab.shape[:2], np.uint8)
    for contour, value in ((outer, 1), (inner, 0)):
        cv2.fillPoly(ring, [np.round(contour - low).astype(np.int32)], value)
    lips = lab[ring > 0]
    if len(lips) < _FEWEST_LIP_PIXELS:
        return between
    top, left = corner[1] - low[1], corner[0] - low[0]
    part = lab[top : top + between.shape[0], left : left + between.shape[1]]
    away = np.linalg.norm((part - lips.mean(0)) / np.maximum(lips.std(0), _LIP_NOISE), axis=2)
    square = np.ones((3, 3), np.uint8)
    rim = between & (cv2.erode(between.astype(np.uint8), square, borderValue=0) == 0)
    _, patches = cv2.connectedComponents(((away < _LIKE_LIPS) & between).astype(np.uint8))
    at_rim = np.unique(patches[rim & (patches > 0)])
    seen = between & ~np.isin(patches, at_rim)
    return cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_OPEN, square) > 0


def _onto_patch(lips: Contour) -> Float[np.ndarray, "2 3"]:
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
