"""The loop over the pixels of a square's soft edges, compiled by numba and cached on disk. One thread, no GIL."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def pass_over(drawn, down, across, out):
    """Draws into a picture, softly.

    Args:
        drawn: uint8 [h, w, 3].
        down: float32 [h], how much of each row is drawn: 0..1.
        across: float32 [w], of each column.
        out: uint8 [h, w, 3], the picture before, and after.
    """
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            weight = down[y] * across[x]
            if weight >= 1:
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = drawn[y, x, 0], drawn[y, x, 1], drawn[y, x, 2]
            elif weight > 0:
                for c in range(3):
                    before = np.float32(out[y, x, c])
                    out[y, x, c] = np.uint8(before + weight * (np.float32(drawn[y, x, c]) - before) + np.float32(0.5))
