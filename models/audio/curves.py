"""MouthFrame: what the speech network says about the mouth at one instant."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

CURVES = (
    "lipGap", "lipWide", "lipRound", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretch",
    "mouthSmile", "mouthRollLower", "mouthRollUpper", "mouthPress", "mouthUpperUp", "mouthLowerDown", "tongue",
)  # fmt: skip
"""Names of the 15 curves, each 0..1.

The first three are geometry: distance between the inner lips, spread of the corners, rounding. The others are ARKit's
shapes, left and right as one; `tongue` is how far the tip of the tongue shows.
"""

INDEX = {name: i for i, name in enumerate(CURVES)}
"""Curve name -> index."""


@dataclass(frozen=True, slots=True, eq=False)
class MouthFrame:
    """The mouth at one instant, heard in the sound."""

    curves: Float32[np.ndarray, "15"]
    """In the order of `CURVES`, each 0..1."""
    closed: float
    """Probability 0..1 that the lips are pressed together for m, b or p."""
    speech: float
    """Probability 0..1 that somebody speaks."""

    def __getitem__(self, name: str) -> float:
        """One curve by name."""
        return float(self.curves[INDEX[name]])
