"""Head, neck and clothes of a portrait without a trained segmenter of parts: from the matte, landmarks and colours.

Who is person the matte knows. Above the jaw a person is head; below it, hair, skin and clothes are told apart by where
they usually are, and by the colours of this person's own hair, face and clothes where each is certain.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy.ndimage import gaussian_filter

from models.ease import smoothstep
from models.matte import person_matte
from models.real3d.segmentation import BACKGROUND, BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, Classes, Image
from models.topology import CHIN, EAR_TO_EAR, FACE_OVAL, FOREHEAD_TOP

_BINS, _SPREAD = 16, 1.0  # of colours: per channel, and how many around a seen one count as alike
_RARE, _ANY_COLOUR = 1e-4, 2e-3  # shares of colours not seen before in hair and skin, and in clothes
_SMOOTH_PX, _EDGE = 10, 4.0  # of 512: how far a decision takes in its surroundings, up to edges of so many levels
# Face widths: below and beside the chin, where long hair hangs and short hair does not.
_CURTAIN_DOWN, _CURTAIN_ASIDE, _LONG = (-0.35, -0.1), (0.45, 0.6), (0.3, 0.8)

Landmarks = Float32[np.ndarray, "478 3"]
Map = Float32[np.ndarray, "h w"]


class BuiltinSegmenter:
    """A `Segmenter` of `BACKGROUND`, `HAIR`, `BODY_SKIN`, `FACE_SKIN` and `CLOTHES`.

    Hats count as hair and glasses as face, which makes no difference to head pictures. Other people are background.
    """

    def __call__(self, image: Image, landmarks: Landmarks) -> Classes:
        """The class of each pixel."""
        person = person_matte(image, landmarks) > 0.5
        face = _oval(landmarks, person.shape) & person
        down, aside = _about_chin(landmarks, person.shape)
        colours = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        hair, skin = (_alike(colours, seed, _RARE) for seed in _certain(face, person, down))
        hair_like = person & ~face & (hair > skin) & (hair > _ANY_COLOUR)
        left, right = (_is_long(hair_like, down, side * aside) for side in (-1, 1))
        long = np.where(aside < 0, np.float32(left), np.float32(right))
        dressed = person & (down > 0.2) & (down + np.abs(aside) > 0.9) & ~(hair_like & (long > 0.5))
        alike = np.stack([hair, skin, _alike(colours, dressed, _ANY_COLOUR)])
        likely = alike * _usual_places(down, aside, long)
        likely /= likely.sum(0)
        radius = max(2, round(_SMOOTH_PX * max(person.shape) / 512))
        smooth = np.stack(
            [cv2.ximgproc.guidedFilter(image, part, radius, _EDGE**2) for part in likely.astype(np.float32)]
        )
        head = _connected(face | (person & (smooth.argmax(0) == 0)), face)
        torso = np.where(smooth[1] > smooth[2], np.uint8(BODY_SKIN), np.uint8(CLOTHES))
        classes = np.where(head, np.uint8(HAIR), torso)
        classes[face] = FACE_SKIN
        classes[~person] = BACKGROUND
        return classes


def _oval(landmarks: Landmarks, shape: tuple[int, ...]) -> Bool[np.ndarray, "h w"]:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(landmarks[FACE_OVAL, :2]).astype(np.int32)], 1)
    return mask.astype(bool)


def _about_chin(landmarks: Landmarks, shape: tuple[int, ...]) -> tuple[Map, Map]:
    """How far each pixel is below the chin along the face, and to the right of it; in face widths."""
    points = landmarks[:, :2]
    width = float(np.linalg.norm(np.diff(points[EAR_TO_EAR], axis=0)))
    along = points[CHIN] - points[FOREHEAD_TOP]
    along = along / np.linalg.norm(along)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    x, y = (x - points[CHIN, 0]) / width, (y - points[CHIN, 1]) / width
    return x * along[0] + y * along[1], x * along[1] - y * along[0]


def _is_long(hair_like: Bool[np.ndarray, "h w"], down: Map, outwards: Map) -> float:
    """0..1, whether hair hangs beside the jaw on one side."""
    beside = (down > _CURTAIN_DOWN[0]) & (down < _CURTAIN_DOWN[1])
    beside &= (outwards > _CURTAIN_ASIDE[0]) & (outwards < _CURTAIN_ASIDE[1])
    return float(smoothstep(*_LONG, hair_like[beside].mean())) if beside.any() else 0.0


def _usual_places(down: Map, aside: Map, long: Map) -> Float32[np.ndarray, "3 h w"]:
    """How usual hair, bare skin and clothes are at each place."""
    under_chin = np.exp(-((aside / 0.45) ** 4))
    below = 0.02 + 0.98 * long
    hair = 1 - smoothstep(-0.42, -0.12, down) * (1 - below * (1 - 0.95 * smoothstep(0.0, 1.2, down)))
    hair = hair * (1 - 0.9 * under_chin * smoothstep(-0.15, 0.0, down))
    skin = smoothstep(-0.45, -0.05, down) * (0.08 + under_chin * (1 - 0.8 * smoothstep(0.3, 0.9, down)))
    clothes = smoothstep(-0.45, 0.1, down) * (1 - 0.95 * under_chin * (1 - smoothstep(0.05, 0.4, down)))
    return np.stack([hair, skin, clothes]).astype(np.float32)


def _certain(
    face: Bool[np.ndarray, "h w"], person: Bool[np.ndarray, "h w"], down: Map
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Pixels of hair, and of skin, that are hardly anything else."""
    inner = cv2.erode(face.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    return person & ~face & (down < -0.75), inner


def _alike(colours: UInt8[np.ndarray, "h w 3"], seed: Bool[np.ndarray, "h w"], unseen: float) -> Map:
    """How usual each pixel's colour is among those of the seed; `unseen`: of those that it does not have."""
    bins = colours // (256 // _BINS)
    histogram = np.zeros((_BINS,) * 3)
    np.add.at(histogram, tuple(bins[seed].T), 1.0)
    histogram = gaussian_filter(histogram, _SPREAD, mode="constant")
    share = histogram / max(float(histogram.sum()), 1.0) + unseen
    return share[tuple(np.moveaxis(bins, 2, 0))].astype(np.float32)


def _connected(region: Bool[np.ndarray, "h w"], core: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The part of the region that hangs together with its core."""
    _, labels = cv2.connectedComponents(region.astype(np.uint8))
    own = np.unique(labels[core & region])
    return np.isin(labels, own[own > 0])
