"""MouthFrame: what the speech network says about the mouth at one instant."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

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


CLOSED, SPEECH = -2, -1
"""Where the logits of pressed lips and of speech stand in the network's answer."""
CLOSED_AT = -0.5
"""Logit from which lips count as pressed. It was trained for 0; but everybody sees an m, b or p that is missed, and
nobody a vowel that starts a little late: of the vowels of held-out voices 4 in 100 are then closed at some time."""


def chances(answers: Float[np.ndarray, "*n outputs"]) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
    """Probabilities of pressed lips and of speech in the network's answers."""
    wide = answers.astype(np.float64)
    closed, speech = 1 / (1 + np.exp(CLOSED_AT - wide[..., CLOSED])), 1 / (1 + np.exp(-wide[..., SPEECH]))
    return closed, speech


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
