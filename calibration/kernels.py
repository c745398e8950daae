"""Least squares within bounds, fast enough for every frame."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def bounded_solution(matrix, right_side, low, high, free, most_sweeps, tolerance):
    """The x within `low`..`high` that minimises x'Mx / 2 - b'x.

    Coordinate descent from the minimum without bounds: done at once where that lies within them.

    Args:
        matrix: float64 [n, n], symmetric, positive definite.
        right_side: float64 [n].
        low: float64, the least value of every element.
        high: float64, the greatest.
        free: float64 [n], the minimum without bounds.
        most_sweeps: how often every element is renewed at most.
        tolerance: ends it when no element moves by more in a sweep.

    Returns:
        float64 [n].
    """
    x = np.minimum(np.maximum(free, low), high)
    for _ in range(most_sweeps):
        most = 0.0
        for i in range(len(x)):
            residual = right_side[i]
            for j in range(len(x)):
                residual -= matrix[i, j] * x[j]
            renewed = min(max(x[i] + residual / matrix[i, i], low), high)
            most = max(most, abs(renewed - x[i]))
            x[i] = renewed
        if most < tolerance:
            break
    return x
