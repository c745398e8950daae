"""The engine of an end whose face is drawn elsewhere: it draws nothing."""

import numpy as np

from models.motion import Motion
from models.portrait import Pixels, Portrait

_NOTHING = np.zeros((0, 0, 3), np.uint8)


class UndrawnEngine:
    """Engine[None]: its pictures are empty, and carry the motion."""

    name = "undrawn"
    backend = "cpu"
    portable = False
    levels = 1

    def prepare(self, portrait: Portrait) -> None:
        """Nothing to prepare."""

    def render(self, avatar: None, motion: Motion, level: int = 0) -> Pixels:
        """No pixels."""
        return _NOTHING

    def close(self) -> None:
        """Nothing to free."""
