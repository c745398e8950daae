"""Motions that look like a talking head's, from a seed."""

import numpy as np

from models.motion import COEFFICIENTS, Motion


def talking(count: int, seed: int = 0, step_ns: int = 40_000_000, begin_ns: int = 5_000_000_000) -> list[Motion]:
    """Smooth movements of about a syllable's length."""
    draw = np.random.default_rng(seed)
    width = len(COEFFICIENTS) + 6
    noise = draw.standard_normal((count + 20, width))
    kernel = np.hanning(9)
    smooth = np.stack([np.convolve(noise[:, i], kernel / np.sqrt(np.sum(kernel**2)), "same") for i in range(width)], 1)
    values = smooth[10 : 10 + count] * draw.uniform(0.02, 0.2, width)
    values[:, : len(COEFFICIENTS)] = np.clip(values[:, : len(COEFFICIENTS)] * 2, -1, 1.5)
    values[:, len(COEFFICIENTS) :] *= 0.3
    rows = values.astype(np.float32)
    return [Motion(begin_ns + k * step_ns, row[:64], row[64:67], row[67:]) for k, row in enumerate(rows)]
