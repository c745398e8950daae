"""What a player elsewhere needs of one part of an avatar."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Numbers for the package's header, arrays, and pictures."""

    numbers: dict[str, Any]
    """Numbers, arrays of a few numbers, lists and mappings of them."""
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    """Of geometry."""
    layers: dict[str, np.ndarray] = field(default_factory=dict)
    """RGB or RGBA pictures [h, w, c]: colours 0..255, alpha 0..1; or masks [h, w], 0..1."""
