"""How finely the head is rendered: what a frame may give up when time is short."""

from typing import NamedTuple

from models.real3d.video_model import SAMPLES, SIDE


class Level(NamedTuple):
    """One level of quality. All else of a frame is the same at every level: the networks' sizes are fixed."""

    side: int
    """Of the rendered picture, in pixels; a smaller one is enlarged to `SIDE`."""
    even: int
    """Samples along each ray that are evenly spread."""
    drawn: int
    """And those where something is."""


LEVELS = (
    Level(SIDE, SAMPLES, SAMPLES),
    Level(SIDE, SAMPLES // 2, SAMPLES // 2),
    Level(SIDE // 2, SAMPLES // 2, SAMPLES // 2),
)
"""Best first: as the networks were trained."""
