"""Loops over the pixels of PNCC pictures, compiled by numba and cached on disk. One thread, no GIL."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def finish_codes(drawn, out):
    """Codes of what was drawn, the nearness divided out.

    Args:
        drawn: float32 [h, w, 4], three codes times nearness, and nearness itself; 0 where nothing is shown.
        out: float32 [3, h, w], written: -1..1, -1 where nothing is shown.
    """
    for row in range(drawn.shape[0]):
        for column in range(drawn.shape[1]):
            near = drawn[row, column, 3]
            for k in range(3):
                out[k, row, column] = 2 * drawn[row, column, k] / near - 1 if near > 0 else -1


@njit(cache=True, nogil=True)
def to_bytes(image, out):
    """-1..1 as whole levels 0..255, rounded down.

    Args:
        image: float32 [3, h, w].
        out: uint8 [3, h, w], written.
    """
    half, levels = np.float32(2), np.float32(255)
    for k in range(3):
        for row in range(image.shape[1]):
            for column in range(image.shape[2]):
                out[k, row, column] = np.uint8((image[k, row, column] + np.float32(1)) / half * levels)


@njit(cache=True, nogil=True)
def from_bytes(image, out):
    """Levels 0..255 as -1..1.

    Args:
        image: uint8 [3, h, w].
        out: float32 [3, h, w], written.
    """
    for k in range(3):
        for row in range(image.shape[1]):
            for column in range(image.shape[2]):
                out[k, row, column] = np.float32(image[k, row, column]) / np.float32(127.5) - np.float32(1)
