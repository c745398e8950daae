"""A photo parted into what Real3D-Portrait's networks are given: head, torso and background."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy.ndimage import binary_dilation, distance_transform_edt

from models.errors import InputError
from models.real3d.segmentation import BACKGROUND, BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, OTHERS, Classes

SIDE = 512
"""Of the networks' pictures."""
_SMALLEST_FACE = 0.2  # of the picture, the box around the landmarks
_CLOTHES_ROWS, _NECK_ROWS = 9, 53  # how far what a head may uncover is continued upwards
_NECK_GROWS_PX, _NECK_BELOW_PX = 3, 4
_DARKER = 0.98  # from row to row
_BESIDE_PX = 10.0  # how near to the person a background is not believed

Image = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A photo for the networks; every picture is RGB, 512 x 512."""

    head: UInt8[np.ndarray, "512 512 3"]
    """Hair, face and what is worn there; black elsewhere."""
    torso: UInt8[np.ndarray, "512 512 3"]
    """Neck and clothes, continued upwards behind the head; black elsewhere."""
    background: UInt8[np.ndarray, "512 512 3"]
    """Without the person."""
    classes: UInt8[np.ndarray, "512 512"]
    """What each pixel of the photo shows, see `models.real3d.segmentation`."""


def part(image: UInt8[np.ndarray, "512 512 3"], classes: UInt8[np.ndarray, "512 512"]) -> Source:
    """Head, torso and background of a photo.

    Raises:
        InputError: the person leaves no background at all.
    """
    return Source(
        head=head_picture(image, classes),
        torso=torso_picture(image, classes),
        background=background_picture(image, classes),
        classes=classes,
    )


def with_a_large_face(
    image: Image, landmarks: Float32[np.ndarray, "478 3"]
) -> tuple[UInt8[np.ndarray, "512 512 3"], Float32[np.ndarray, "478 3"]]:
    """The photo at 512 x 512, its proportions not kept, cut to a square around a face that is small in it.

    Args:
        image: RGB.
        landmarks: in pixels of the photo.

    Returns:
        The picture, and the landmarks in its pixels.
    """
    h, w = image.shape[:2]
    squeeze = np.array([SIDE / w, SIDE / h, SIDE / w], np.float32)
    points = landmarks * squeeze
    squeezed = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    area = float(np.prod(high - low))
    if area >= _SMALLEST_FACE * SIDE**2:
        return squeezed, points
    half = np.sqrt(area / _SMALLEST_FACE) / 2
    centre = (low + high) / 2
    overhang = max(0.0, float((half - centre).max()), float((centre + half - SIDE).max()))
    left, top = np.round(centre - half + overhang).astype(int)
    side = min(round(2 * (float(half) - overhang)), SIDE - left, SIDE - top)
    if side < 1:
        raise InputError("the face lies at the picture's edge; use a photo that shows all of it")
    cut = squeezed[top : top + side, left : left + side]
    points = (points - np.array([left, top, 0], np.float32)) * np.float32(SIDE / side)
    return cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), points


def head_picture(image: Image, classes: Classes) -> Image:
    """Hair, face and what is worn there; black elsewhere."""
    return np.where(_head(classes)[..., None], image, np.uint8(0))


def torso_picture(image: Image, classes: Classes) -> Image:
    """Neck and clothes; where they end below the head they go on upwards, row by row darker, the neck blurred."""
    head, clothes = _head(classes), classes == CLOTHES
    neck = binary_dilation(classes == BODY_SKIN, np.ones((3, 1), bool), iterations=_NECK_GROWS_PX)
    out = np.where(head[..., None], np.uint8(0), image)
    shown = clothes | neck
    columns, tops = _tops_below(clothes, head)
    shown |= _smear(image, out, columns, tops, _CLOTHES_ROWS)
    columns, tops = _tops_below(neck, head)
    tops = tops + np.minimum(neck.sum(0)[columns] - 1, _NECK_BELOW_PX)
    smeared = _smear(image, out, columns, tops, _NECK_ROWS)
    out[smeared] = cv2.GaussianBlur(out, (5, 5), 4)[smeared]
    out[~(shown | smeared)] = 0
    return out


def background_picture(image: Image, classes: Classes) -> Image:
    """The photo without the person: each pixel of the person, and beside it, in the nearest background's colour.

    Raises:
        InputError: there is no background.
    """
    believed = distance_transform_edt(classes == BACKGROUND) > _BESIDE_PX
    if not believed.any():
        raise InputError("the person fills the whole photo; use one with some background, or give a background picture")
    rows, columns = distance_transform_edt(~believed, return_distances=False, return_indices=True)
    return image[rows, columns]


def _head(classes: Classes) -> Bool[np.ndarray, "h w"]:
    return (classes == HAIR) | (classes == FACE_SKIN) | (classes == OTHERS)


def _tops_below(region: Bool[np.ndarray, "h w"], head: Bool[np.ndarray, "h w"]) -> tuple[np.ndarray, np.ndarray]:
    """Columns in which the region's top lies right below the head, and the rows of these tops."""
    columns = np.flatnonzero(region.any(0))
    tops = region.argmax(0)[columns]
    below = (tops > 0) & head[tops - 1, columns]
    return columns[below], tops[below]


def _smear(image: Image, out: Image, columns: np.ndarray, rows: np.ndarray, count: int) -> Bool[np.ndarray, "h w"]:
    """Continues the image's pixels at these places upwards in `out`; where it did."""
    done = np.zeros(out.shape[:2], bool)
    for k in range(count):
        inside = rows >= k
        at = rows[inside] - k, columns[inside]
        out[at] = (image[rows[inside], columns[inside]] * _DARKER**k).astype(np.uint8)
        done[at] = True
    return done
