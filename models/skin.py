"""The colour of a face's skin, for the light that falls on it."""

import numpy as np
from jaxtyping import Float32, UInt8

from models.topology import EAR_TO_EAR

_CHEEKS = (50, 280, 101, 330)
_REACH = 0.015  # face widths around each point that count: single pixels of a camera are noise


def cheek_colour(
    image: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"]
) -> Float32[np.ndarray, "3"]:
    """Mean RGB 0..255 of four spots on the cheeks; those beyond the picture's edge are taken at the edge."""
    h, w = image.shape[:2]
    reach = round(_REACH * float(np.linalg.norm(np.diff(landmarks[EAR_TO_EAR, :2], axis=0))))
    spots = []
    for x, y in landmarks[_CHEEKS, :2].astype(int):
        column, row = np.clip(x, 0, w - 1), np.clip(y, 0, h - 1)
        spot = image[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
        spots.append(spot.mean((0, 1)))
    return np.mean(spots, axis=0).astype(np.float32)
