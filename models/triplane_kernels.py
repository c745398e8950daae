"""Tri-planes read a point at a time, compiled by numba and cached on disk. One thread, no GIL."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, fastmath={"contract"})
def add_texels(texels, points, right, down, out):
    """Adds what one plane holds at the points' projections, bilinear; there is nothing outside.

    Args:
        texels: float32 [h + 2, w + 2, c], a border of zeros around the plane, whose corners are the cube's.
        points: float32 [n, 3], -1..1 within the cube.
        right, down: the axes of space that run along the plane's rows and its columns.
        out: float32 [n, c], added to.
    """
    last_row, last_column, channels = texels.shape[0] - 1, texels.shape[1] - 1, texels.shape[2]
    half, one = np.float32(0.5), np.float32(1)
    wide, high = np.float32(last_column - 1) * half, np.float32(last_row - 1) * half
    for k in range(points.shape[0]):
        x = min(max((points[k, right] + one) * wide + half, np.float32(0)), np.float32(last_column))
        y = min(max((points[k, down] + one) * high + half, np.float32(0)), np.float32(last_row))
        column, row = min(int(x), last_column - 1), min(int(y), last_row - 1)
        after, below = x - np.float32(column), y - np.float32(row)
        a, b = (one - below) * (one - after), (one - below) * after
        c, d = below * (one - after), below * after
        upper, lower = texels[row], texels[row + 1]
        for i in range(channels):
            seen = a * upper[column, i] + b * upper[column + 1, i]
            out[k, i] += seen + c * lower[column, i] + d * lower[column + 1, i]
