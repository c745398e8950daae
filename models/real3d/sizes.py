"""How large the video model is: as it was released, or the same networks made smaller, to train them elsewhere."""

from dataclasses import dataclass
from math import log2

DEPTH = 16
"""Cells of the torso's grid, front to back."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Pixels, channels and samples of every network; what is not given is as released."""

    side: int = 512
    """Of the pictures, a power of two from 64 on."""
    thinner: int = 1
    """What the channels of all inner layers are divided by: 1, 2, 4 or 8."""
    samples: int = 48
    """Along each ray: so many evenly, so many more where something is."""

    @property
    def rendered(self) -> int:
        """Of the rendered head, pixels."""
        return self.side // 4

    @property
    def half(self) -> int:
        """Of torso and planes, pixels."""
        return self.side // 2

    @property
    def halvings(self) -> int:
        """How often the motion field's grid, an eighth of the pictures wide, is halved on the way in."""
        return min(5, round(log2(self.side // 8)) - 1)

    def width(self, released: int) -> int:
        """The channels of a layer that was released with so many."""
        return released // self.thinner


RELEASED = Sizes()
