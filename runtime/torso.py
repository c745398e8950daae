"""How the torso follows the head: a little at once, wholly when the head stays where it went."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from models.motion import Motion

Shift = Float32[np.ndarray, "2"]

_AT_ONCE = 0.25
_FOLLOWS_S = 2.0


class TorsoFollow:
    """Gives each motion its torso, from those before it."""

    def __init__(self) -> None:
        self._slow: Shift | None = None
        self._pts_ns = 0

    def __call__(self, motion: Motion, due_ns: int) -> Motion:
        """`motion` with a torso, for the picture that is due at this instant."""
        shift = motion.translation[:2]
        if self._slow is None:
            self._slow = shift.copy()
        elapsed_s = max(0.0, (due_ns - self._pts_ns) / 1e9)
        self._pts_ns = due_ns
        self._slow = self._slow + np.float32(1 - np.exp(-elapsed_s / _FOLLOWS_S)) * (shift - self._slow)
        return replace(motion, torso=self._slow + np.float32(_AT_ONCE) * (shift - self._slow))
