"""Distances of features, against values worked out by hand and matrix roots."""

import numpy as np
import pytest
import scipy.linalg

from models.metrics.features import cosine, frechet_distance


def test_the_cosine_is_of_the_angle_alone():
    assert cosine(np.array([1.0, 0.0]), np.array([5.0, 5.0])) == pytest.approx(np.sqrt(0.5))
    assert cosine(np.array([2.0, 1.0]), np.array([-4.0, -2.0])) == pytest.approx(-1)


def test_of_one_dimension_the_frechet_distance_is_that_of_means_and_spreads():
    a, b = np.array([[1.0], [3.0]]), np.array([[10.0], [14.0]])  # means 2 and 12, deviations sqrt 2 and sqrt 8
    assert frechet_distance(a, b) == pytest.approx(100 + 2)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("count", [40, 5], ids=["full rank", "fewer vectors than dimensions"])
def test_the_frechet_distance_is_that_of_the_formula(count):
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 1, (count, 8)), rng.normal(0.3, 2, (count + 1, 8)) @ rng.normal(0, 1, (8, 8))
    spreads = [np.cov(each, rowvar=False) for each in (a, b)]
    root = scipy.linalg.sqrtm(spreads[0] @ spreads[1])
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(spreads[0] + spreads[1] - 2 * root.real)
    assert frechet_distance(a, b) == pytest.approx(wanted, rel=1e-4)


def test_one_vector_has_no_spread():
    with pytest.raises(ValueError, match="less than two"):
        frechet_distance(np.zeros((1, 4)), np.zeros((9, 4)))
