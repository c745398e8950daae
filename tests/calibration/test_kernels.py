"""Bounded least squares: the conditions of a minimum hold, with and without bounds that bite."""

import numpy as np
import pytest

from calibration.kernels import bounded_solution

_LOW, _HIGH = -1.0, 1.5


@pytest.mark.parametrize("size", [0.1, 3.0, 20.0])
def test_no_element_can_move_downhill(size):
    rng = np.random.default_rng(0)
    shapes = rng.normal(size=(12, 40))
    matrix = shapes @ shapes.T + np.eye(12)
    right_side = shapes @ rng.normal(0, size, 40)
    free = np.linalg.solve(matrix, right_side)

    x = bounded_solution(matrix, right_side, _LOW, _HIGH, free, 300, 1e-9)

    downhill = right_side - matrix @ x
    inside = (x > _LOW) & (x < _HIGH)
    assert np.all((x >= _LOW) & (x <= _HIGH))
    assert np.abs(downhill[inside]).max(initial=0) < 1e-6
    assert np.all(downhill[x == _LOW] <= 0) and np.all(downhill[x == _HIGH] >= 0)
    assert inside.all() == np.all((free > _LOW) & (free < _HIGH))
