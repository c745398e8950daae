"""Which scores of speech a frame hears. There are 50 scores of 44 symbols per second, and 25 frames."""

import numpy as np
from jaxtyping import Float32

from models.talk3d.conditions import SPAN, SYMBOLS, WINDOWS

PER_FRAME = 2
"""Scores."""

Scores = Float32[np.ndarray, "n 44"]


def window(scores: Scores, number: int) -> Float32[np.ndarray, "44 16"]:
    """The scores around a frame; 0 where there are none."""
    out = np.zeros((SPAN, SYMBOLS), np.float32)
    begin = PER_FRAME * number - SPAN // 2
    first, last = max(begin, 0), min(begin + SPAN, len(scores))
    if first < last:
        out[first - begin : last - begin] = scores[first:last]
    return out.T


def frame_sound(scores: Scores, number: int) -> Float32[np.ndarray, "8 44 16"]:
    """What a frame hears: its own window and those of the frames around it; 0 before the first and after the last."""
    count = len(scores) // PER_FRAME + 1
    around = range(number - WINDOWS // 2, number + WINDOWS // 2)
    silent = np.zeros((SYMBOLS, SPAN), np.float32)
    return np.stack([window(scores, k) if 0 <= k < count else silent for k in around])
