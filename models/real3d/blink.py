"""Closing the eyes of a PNCC picture: lids come down over the holes that the face model has for eyes.

The face model's expressions hardly close eyes, so the released tool paints them shut. What drives it here are blink
coefficients of each eye; a face whose expression closes the lids already is to be drawn without that part.
"""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from scipy.ndimage import distance_transform_edt

from models.real3d.kernels import from_bytes, to_bytes
from models.real3d.pncc import SIDE, Pncc

TOP, BOTTOM = SIDE // 4, SIDE // 2  # where eyes are looked for
RIGHT_EYE, LEFT_EYE = (SIDE // 4, SIDE // 2), (SIDE // 2, 3 * SIDE // 4)  # of the subject, unmirrored
RIM_PX = 5  # around a hole, that goes along
BEFORE_PX, AFTER_PX = 4, 3  # around a hole's box, what is looked at and changed


def eyes_closed(pncc: Pncc, right: float, left: float) -> Pncc:
    """The picture with its eyes closed by 0..1 each; sides are the subject's.

    All of it is rounded to 256 levels when an eye closes at all, as by the released tool; the very picture is given
    back when none does. Of equally near lids another than the tool's may be taken.

    Args:
        pncc: 512 pixels wide.
        right: how far the right eye closes.
        left: and the left.
    """
    if right <= 0 and left <= 0:
        return pncc
    levels = np.empty(pncc.shape, np.uint8)
    to_bytes(pncc, levels)
    for closure, (begin, end) in ((right, RIGHT_EYE), (left, LEFT_EYE)):
        window = np.s_[TOP:BOTTOM, begin:end]
        hole = _eye_hole(~levels[(slice(None), *window)].all(0)) if closure > 0 else None
        if hole is not None:
            _close(levels, hole, (TOP, begin), min(closure, 1.0))
    out = np.empty(pncc.shape, np.float32)
    from_bytes(levels, out)
    return out


class _Hole(NamedTuple):
    """An open eye, its corners in the window that was searched."""

    mask: Bool[np.ndarray, "h w"]
    top: int
    left: int


def _eye_hole(empty: Bool[np.ndarray, "h w"]) -> _Hole | None:
    """What is empty in the window, unless it reaches the window's edge; None without any.

    The released tool takes background that reaches into the window for a part of the eye; narrow faces are smeared.
    """
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(empty.astype(np.uint8))
    h, w = empty.shape
    left, top, width, height = boxes[:, :4].T
    inside = (left > 0) & (top > 0) & (left + width < w) & (top + height < h)
    inside[0] = False  # what is not empty
    if not inside.any():
        return None
    x0, y0 = left[inside].min(), top[inside].min()
    x1, y1 = (left + width)[inside].max(), (top + height)[inside].max()
    return _Hole(inside[labels[y0:y1, x0:x1]], int(y0), int(x0))


def _close(levels: UInt8[np.ndarray, "3 h w"], hole: _Hole, origin: tuple[int, int], closure: float) -> None:
    """Fills each column of the eye from above and below towards its middle with the codes of the nearest lid."""
    top, left = origin[0] + hole.top - BEFORE_PX, origin[1] + hole.left - BEFORE_PX
    empty = np.pad(hole.mask, (BEFORE_PX, AFTER_PX))
    around = levels[:, top : top + empty.shape[0], left : left + empty.shape[1]]
    face = around.all(0)
    eye = empty | (face & (distance_transform_edt(~empty) <= RIM_PX))
    lids = face & ~eye
    if not lids.any():
        return
    rows = np.arange(len(eye))[:, None]
    count = np.maximum(eye.sum(0), 1)
    middle = (rows * eye).sum(0) / count
    first, last = eye.argmax(0), len(eye) - 1 - eye[::-1].argmax(0)
    upper = closure * middle + (1 - closure) * first
    lower = closure * middle + (1 - closure) * last
    filled = eye & ((rows <= upper) | (rows >= lower))
    nearest = distance_transform_edt(~lids, return_distances=False, return_indices=True)
    ys, xs = nearest[:, filled]
    around[:, filled] = around[:, ys, xs]
