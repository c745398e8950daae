"""SpeakerLayer: the speech network's last layer as one person needs it.

Three things that a camera can tell of a mouth are refitted: how far the lips are apart, how wide the mouth is and how
far the jaw is down. Other curves follow them in the proportions that the network was taught.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from models.audio.curves import CURVES, INDEX, chances
from models.ease import smoothstep

MEASURES = ("gap", "width", "jaw")
"""What is refitted: `lipGap`, `lipWide` less `lipRound`, `jawOpen`."""
HIDDEN = 96
"""What each head's last layer is given."""
HEADS = 4
INPUTS = HIDDEN + 2
"""Of a measure's change: what the network says of it, what the last layer is given, 1."""
LARGEST = 20.0
"""Of any weight."""

_READ: dict[str, dict[str, float]] = {
    "gap": {"lipGap": 1.0},
    "width": {"lipWide": 1.0, "lipRound": -1.0},
    "jaw": {"jawOpen": 1.0},
}
_WRITE: dict[str, dict[str, float]] = {
    "gap": {"lipGap": 1.0},
    "width": {
        "lipWide": 0.5,
        "mouthStretch": 0.275,
        "mouthSmile": 0.225,
        "lipRound": -0.5,
        "mouthPucker": -0.375,
        "mouthFunnel": -0.3,
    },
    "jaw": {"jawOpen": 1.0},
}
"""By how much each curve changes where a measure changes by 1."""
_SPEAKS = (0.1, 0.5)  # probabilities between which the person's own mouth comes
_SEALED = (0.35, 0.75)  # and between which it goes: lips that are pressed together are as the network has them


def _matrix(table: dict[str, dict[str, float]]) -> Float32[np.ndarray, "3 15"]:
    out = np.zeros((len(MEASURES), len(CURVES)), np.float32)
    for row, name in enumerate(MEASURES):
        for curve, value in table[name].items():
            out[row, INDEX[curve]] = value
    return out


_OF_CURVES, _TO_CURVES = _matrix(_READ), _matrix(_WRITE)


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerLayer:
    """What is added to the network's last layer for one person and voice."""

    network: str
    """SHA-256 of the weights that it was made for, hexadecimal."""
    weights: Float32[np.ndarray, "4 3 98"]
    """Head, measure, input."""

    def curves(
        self, head: int, answers: Float32[np.ndarray, "n outputs"], hidden: Float32[np.ndarray, "n 96"]
    ) -> Float32[np.ndarray, "n 15"]:
        """The person's curves, each 0..1, from what one head said and what its last layer was given.

        In silence, and where lips are surely pressed together, they are the network's own.
        """
        said = answers[:, : len(CURVES)]
        own, hidden_weights, constant = np.split(self.weights[head], [1, INPUTS - 1], axis=1)
        change = measures(said) * own[:, 0] + hidden @ hidden_weights.T + constant[:, 0]
        return np.clip(said + (applies(answers)[:, None] * change) @ _TO_CURVES, 0.0, 1.0)


def measures(curves: Float[np.ndarray, "n 15"]) -> Float[np.ndarray, "n 3"]:
    """`MEASURES` of curves: 0..1, -1..1, 0..1."""
    return curves @ _OF_CURVES.T


def applies(answers: Float32[np.ndarray, "n outputs"]) -> Float32[np.ndarray, "n"]:
    """0..1: how far a person's own layer counts at each instant."""
    closed, speech = chances(answers)
    return (smoothstep(*_SPEAKS, speech) * (1 - smoothstep(*_SEALED, closed))).astype(np.float32)
