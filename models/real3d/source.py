"""A photo parted into what Real3D-Portrait's networks are given: head and torso."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from scipy.ndimage import binary_dilation

from models.real3d.segmentation import BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, OTHERS, Classes

SIDE = 512
"""Of the networks' pictures."""
_CLOTHES_ROWS, _NECK_ROWS = 9, 53  # how far what a head may uncover is continued upwards
_NECK_GROWS_PX, _NECK_BELOW_PX = 3, 4
_DARKER = 0.98  # from row to row

Image = UInt8[np.ndarray, "h w 3"]


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
