"""The person as a sheet that can be moved: finer than the picture, and continued beyond its edges."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from calibration.framing import FineCanvas, Placed

_CROWN = 0.5  # height of a crown that the picture's upper edge cuts off, in parts of half its width there
_SHORT = 24  # pixels from an edge: a border that reflects fewer repeats them instead


def person_sheet(
    canvas: FineCanvas,
    placed: Placed,
    colours: UInt8[np.ndarray, "h w 3"],
    matte: Float32[np.ndarray, "h w"],
) -> UInt8[np.ndarray, "ch cw 4"]:
    """RGBA, colours multiplied by alpha, of the canvas's size.

    Where the photo ends at the picture's edge or beyond it, the person goes on where it touches the edge: with mirrored
    colours, and a crown that was cut off rounded. Where the photo ends within the picture, so does the person.
    """
    pads = canvas.borders(placed)
    mirror = cv2.BORDER_REFLECT_101 if min(matte.shape) > _SHORT else cv2.BORDER_REPLICATE
    colour = cv2.copyMakeBorder(colours, *pads, mirror)
    alpha = cv2.copyMakeBorder(matte, *pads, cv2.BORDER_REPLICATE)
    top, bottom, left, right = pads
    h, w = alpha.shape
    crown = _crown(matte[0], top)
    alpha[:top] = 0
    alpha[:top, left : w - right] = crown
    edge = canvas.beyond * canvas.times
    for pad, border in (
        (top, np.s_[:top, :]),
        (bottom, np.s_[h - bottom :, :]),
        (left, np.s_[:, :left]),
        (right, np.s_[:, w - right :]),
    ):
        if pad > edge:  # the photo ends within the picture
            alpha[border] = 0
    premultiplied = colour * alpha[..., None]
    return np.dstack([premultiplied, alpha * 255]).round().astype(np.uint8)


def _crown(first_row: Float32[np.ndarray, "w"], height: int) -> Float32[np.ndarray, "height w"]:
    """Alpha above the photo's first row: every run of the person closes like an ellipse."""
    out = np.zeros((height, len(first_row)), np.float32)
    inside = np.concatenate([[False], first_row > 0.5, [False]])
    begins, ends = np.flatnonzero(~inside[:-1] & inside[1:]), np.flatnonzero(inside[:-1] & ~inside[1:])
    above = np.arange(height, 0, -1)[:, None]
    x = np.arange(len(first_row))
    for begin, end in zip(begins, ends, strict=True):
        half = 0.5 * (end - begin)
        radius = np.hypot((x - begin - half + 0.5) / half, above / max(_CROWN * half, 1.0))
        out = np.maximum(out, np.clip((1 - radius) * half * 0.5 + 0.5, 0, 1))
    return out.astype(np.float32)
