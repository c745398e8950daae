"""What a camera sees. It goes no further than the drivers: what leaves is a `runtime.picture.Picture`, another type.

Import rules keep this module from sinks, outlets, engines, stage and mix, so that no output can be given a frame.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from a camera or a clip. Frozen; the array in it is never written again."""

    image: UInt8[np.ndarray, "h w 3"]
    """RGB."""
    pts_ns: int
    """Instant of capture."""
