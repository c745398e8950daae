"""Wide Gaussian blurs, cheaply."""

import cv2
import numpy as np
from jaxtyping import Float32

_FINE = 4.0  # pixels of a smaller copy that a blur there is wide at least


def wide_blur(image: Float32[np.ndarray, "h w *c"], sigma: float) -> Float32[np.ndarray, "h w *c"]:
    """A Gaussian blur by `sigma` pixels, computed on a copy that is smaller by as much as the blur hides."""
    factor = int(sigma / _FINE)
    if factor < 2:
        return cv2.GaussianBlur(image, (0, 0), sigma).reshape(image.shape)
    h, w = image.shape[:2]
    small = cv2.resize(image, (max(1, w // factor), max(1, h // factor)), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma / factor)
    return cv2.resize(blurred, (w, h), interpolation=cv2.INTER_LINEAR).reshape(image.shape)
