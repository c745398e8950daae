"""The loop over the pixels of a mouth's spots, compiled by numba and cached on disk. One thread, no GIL."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def read_spots(image, spots, half, side):
    """Mean colours of small squares, and how uneven they are.

    Args:
        image: uint8 [h, w, 3].
        spots: float64 [n, 2], centres in pixels; pixels beyond the edge are taken at the edge.
        half: half an edge of a square, pixels.
        side: how many pixels of an edge are read, 2 or more.

    Returns:
        float64 [n, 3] means, float64 [n] standard deviations of the second channel.
    """
    h, w = image.shape[:2]
    means, uneven = np.zeros((len(spots), 3)), np.zeros(len(spots))
    count = side * side
    for k in range(len(spots)):
        squares = 0.0
        for j in range(side):
            y = min(max(int(spots[k, 1] + half * (2.0 * j / (side - 1) - 1.0) + 0.5), 0), h - 1)
            for i in range(side):
                x = min(max(int(spots[k, 0] + half * (2.0 * i / (side - 1) - 1.0) + 0.5), 0), w - 1)
                for c in range(3):
                    means[k, c] += image[y, x, c] / count
                squares += float(image[y, x, 1]) ** 2 / count
        uneven[k] = np.sqrt(max(squares - means[k, 1] ** 2, 0.0))
    return means, uneven
