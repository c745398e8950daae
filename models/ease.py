"""The curve with which everything eases in and out."""

from typing import TypeVar

import numpy as np
from jaxtyping import Float

X = TypeVar("X", float, Float[np.ndarray, "..."])


def smoothstep(low: float, high: float, x: X) -> X:
    """0 below `low`, 1 above `high`, cubic between; of a number or of every element of an array."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    eased = t * t * (3.0 - 2.0 * t)
    return eased if isinstance(x, np.ndarray) else float(eased)
