"""Distances of two pictures, pixel by pixel."""

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

_EXACT_DB = 99.0
_PEAK = 255.0
_SIGMA_PX, _REACH_PX = 1.5, 5  # of the window of 11 x 11 pixels
_STEADY = ((0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2)


def l1(got: UInt8[np.ndarray, "*s"], want: UInt8[np.ndarray, "*s"]) -> float:
    """Mean absolute difference, 0..1 of the full range."""
    return float(np.abs(got.astype(np.float64) - want).mean() / _PEAK)


def psnr_db(got: UInt8[np.ndarray, "*s"], want: UInt8[np.ndarray, "*s"]) -> float:
    """Peak signal-to-noise ratio, of 255; 99 where they are equal."""
    error = np.square(got.astype(np.float64) - want).mean()
    return _EXACT_DB if error == 0 else min(_EXACT_DB, float(10 * np.log10(_PEAK**2 / error)))


def ssim(got: UInt8[np.ndarray, "h w 3"], want: UInt8[np.ndarray, "h w 3"]) -> float:
    """Structural similarity, at most 1: mean over colours and over all windows that lie within the picture.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", 2004,
    with their window and constants. Raises ValueError for pictures that no window of 11 x 11 pixels fits into.
    """
    if min(got.shape[:2]) <= 2 * _REACH_PX:
        raise ValueError(f"no window fits into {got.shape[:2]}")
    a, b = got.astype(np.float64), want.astype(np.float64)
    mean_a, mean_b = _windowed(a), _windowed(b)
    spread = _windowed(a * a) + _windowed(b * b) - mean_a**2 - mean_b**2
    shared = _windowed(a * b) - mean_a * mean_b
    brightness = (2 * mean_a * mean_b + _STEADY[0]) / (mean_a**2 + mean_b**2 + _STEADY[0])
    each = brightness * (2 * shared + _STEADY[1]) / (spread + _STEADY[1])
    within = slice(_REACH_PX, -_REACH_PX)
    return float(each[within, within].mean())


def _windowed(image: Float64[np.ndarray, "h w 3"]) -> Float64[np.ndarray, "h w 3"]:
    size = 2 * _REACH_PX + 1
    return np.asarray(cv2.GaussianBlur(image, (size, size), _SIGMA_PX))
