"""What a player elsewhere needs of one part of an avatar."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Numbers for the package's header, arrays, and pictures."""

    numbers: Mapping[str, object]
    """Numbers, arrays of a few numbers, lists and mappings of them."""
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Of geometry."""
    layers: Mapping[str, np.ndarray] = field(default_factory=dict)
    """RGB or RGBA pictures [h, w, c]: colours 0..255, alpha 0..1; or masks [h, w], 0..1."""
