"""What a frame may give up when time is short."""

from typing import Literal, NamedTuple

from models.goha.model import SAMPLES


class Level(NamedTuple):
    """One level of quality. All else of a frame is the same at every level."""

    appearance: Literal["looked up", "frozen"]
    """Whether the portrait's detail is laid anew on the surface that the expression makes, as the authors' code does
    it, or stays as it lies on that of the portrait, as the paper describes it."""
    samples: int
    """Along each ray that are evenly spread, and so many more where something is."""


LEVELS = (Level("looked up", SAMPLES), Level("frozen", SAMPLES), Level("frozen", SAMPLES // 2))
"""Best first."""
