"""The engine of a picture that does not move."""

import numpy as np

from calibration.background import still
from models.motion import Motion
from models.portrait import Pixels, Portrait


class StillEngine:
    """Engine[Pixels]: shows a portrait as it is."""

    name = "still"
    backend = "cpu"
    portable = False
    levels = 1

    def prepare(self, portrait: Portrait) -> Pixels:
        """The picture."""
        if portrait.background is not None:
            return still(portrait)
        return np.dstack([portrait.image, np.round(255 * portrait.matte).astype(np.uint8)])

    def render(self, avatar: Pixels, motion: Motion, level: int = 0) -> Pixels:
        """The picture, a new array."""
        return avatar.copy()

    def close(self) -> None:
        """Nothing to free."""
