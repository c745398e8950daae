"""Distances of what networks see in pictures: of two vectors, and of two sets of them."""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Float64


def cosine(a: Float[np.ndarray, "n"], b: Float[np.ndarray, "n"]) -> float:
    """Cosine of the angle between two vectors, -1..1: of two faces' identities, the identity similarity (CSIM)."""
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def frechet_distance(got: Float[np.ndarray, "n d"], want: Float[np.ndarray, "m d"]) -> float:
    """Frechet distance of the normal distributions that two sets of vectors suggest.

    Of Inception's features it is the FID of Heusel et al., "GANs trained by a two time-scale update rule", 2017. Sets
    that are smaller than their dimension give values that are too large, and compare only with sets of the same size.

    Raises:
        ValueError: a set of less than two vectors has no spread.
    """
    if min(len(got), len(want)) < 2:
        raise ValueError("a set of less than two vectors has no spread")
    mean_a, spread_a = _moments(got)
    mean_b, spread_b = _moments(want)
    # The trace of the root of a product: the singular values of the factors' roots, one after the other.
    shared = scipy.linalg.svdvals(spread_a @ spread_b.T).sum()
    apart = float(((mean_a - mean_b) ** 2).sum())
    return max(apart + float((spread_a**2).sum() + (spread_b**2).sum() - 2 * shared), 0.0)


def _moments(vectors: Float[np.ndarray, "n d"]) -> tuple[Float64[np.ndarray, "d"], Float64[np.ndarray, "n d"]]:
    """Mean, and a matrix whose transpose times itself is the covariance."""
    mean = vectors.astype(np.float64).mean(0)
    return mean, (vectors - mean) / np.sqrt(len(vectors) - 1)
