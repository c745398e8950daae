"""What a frame may give up when time is short."""

from typing import NamedTuple

from models.talk3d.generator import SAMPLES


class Level(NamedTuple):
    """One level of quality. All else of a frame is the same at every level."""

    samples: int
    """Along each ray that are evenly spread, and so many more where something is."""


LEVELS = (Level(SAMPLES), Level(SAMPLES // 2))
"""Best first."""
