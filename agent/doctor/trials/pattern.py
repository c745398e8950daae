"""A picture by which an output is recognised: four colours, one in each quarter."""

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

_COLOURS = np.array([[[190, 70, 70], [70, 190, 70]], [[70, 70, 190], [180, 180, 180]]], np.uint8)
_TOLERANCE = 30  # of 256: JPEG and the limited range of video cost some


def draw_pattern(size: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
    """The pattern at a width and height in px, RGB."""
    return cv2.resize(_COLOURS, size, interpolation=cv2.INTER_NEAREST)


def compare_pattern(image: UInt8[np.ndarray, "h w 3"]) -> str:
    """What tells an RGB picture, of any size, from the pattern, as a phrase; empty if nothing."""
    seen = quarter_colours(image)
    if np.abs(seen - _COLOURS).max() <= _TOLERANCE:
        return ""
    if np.abs(seen[..., ::-1] - _COLOURS).max() <= _TOLERANCE:
        return "red and blue are exchanged"
    return "other colours: " + ", ".join(f"({r:.0f}, {g:.0f}, {b:.0f})" for r, g, b in seen.reshape(4, 3))


def quarter_colours(image: UInt8[np.ndarray, "h w 3"]) -> Float64[np.ndarray, "2 2 3"]:
    """The mean colour of the middle of each quarter."""
    height, width = image.shape[:2]
    parts = [
        image[y * height // 8 : (y + 2) * height // 8, x * width // 8 : (x + 2) * width // 8].reshape(-1, 3).mean(0)
        for y in (1, 5)
        for x in (1, 5)
    ]
    return np.stack(parts).reshape(2, 2, 3)
