"""A stamp: a number as a bar code along the upper edge of a picture, which survives JPEG and I420."""

import numpy as np
from jaxtyping import UInt8

CODES = 1 << 16
"""How many numbers there are; they count on from 0 again."""
HEIGHT_PX = 16
"""Rows that a stamp takes."""

_BEGINS = (1, 0)
_SHIFTS = np.arange(16)
_CELLS = len(_BEGINS) + len(_SHIFTS) + 4


def draw_stamp(image: UInt8[np.ndarray, "h w 3"], code: int) -> None:
    """Writes `code` % `CODES` over the uppermost rows of `image`, which is at least 64 pixels wide."""
    bits = [*_BEGINS, *(code >> _SHIFTS & 1), *(_check(code) >> _SHIFTS[:4] & 1)]
    edges = _edges(image.shape[1])
    for bit, left, right in zip(bits, edges[:-1], edges[1:], strict=True):
        image[:HEIGHT_PX, left:right] = 255 * int(bit)
    image[:HEIGHT_PX, edges[-1] :] = 0


def read_stamp(channel: UInt8[np.ndarray, "h w"]) -> int | None:
    """The code in one channel of a picture; None if there is none."""
    edges = _edges(channel.shape[1])
    rows = channel[HEIGHT_PX // 4 : HEIGHT_PX * 3 // 4, (edges[:-1] + edges[1:]) // 2]
    bits = rows.mean(axis=0) > 127
    code, check = (int((part << _SHIFTS[: len(part)]).sum()) for part in (bits[2:18], bits[18:]))
    return code if tuple(bits[:2]) == _BEGINS and check == _check(code) else None


def _check(code: int) -> int:
    """Four bits that another code seldom has."""
    return (code ^ code >> 4 ^ code >> 8 ^ code >> 12 ^ 5) & 15


def _edges(width: int) -> np.ndarray:
    return np.arange(_CELLS + 1) * (width // _CELLS)
