"""The constants of the wire format: transform, steps, bounds and the probabilities of the entropy coder.

They are part of the format: another table is another version. `scripts/train_motion_codec.py` made them.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Int32

UNIT = 1024
"""Whole numbers of the tables, but for bounds and probabilities, count in 1 / UNIT."""
KINDS = ("alone", "after", "beside", "beyond")
"""What a motion is told from: nothing, an acknowledged one, the packet's newest, or the one after it of the others."""
ACTIVITIES = 5
"""Contexts of a level's zero flag by the levels before it: how much they differ, together."""
HINTS = 3
"""And by how far the same level is known to move beside: not, by one, by more."""
BINS = 4
"""Of a magnitude, unary bits that have probabilities of their own; later ones share the last."""
UNARY = 6
"""Greatest magnitude that unary bits alone tell; an Exp-Golomb code tells by how much it is greater."""
LONGEST = 13
"""Bits of that code's number."""
REACH = UNARY + (1 << LONGEST) - 1
"""Greatest difference of two levels that can be told."""


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Probabilities are those of a 1, in 1 / `bits.ONE`."""

    joint: Int32[np.ndarray, "j"]
    """Indices of the coefficients that are told by directions."""
    single: Int32[np.ndarray, "s"]
    """Of those that are told by themselves."""
    analysis: Int32[np.ndarray, "j d"]
    """Coefficients to levels of directions."""
    synthesis: Int32[np.ndarray, "d j"]
    """And back."""
    steps: Int32[np.ndarray, "s+7"]
    """Of single coefficients, rotation (radians), translation (eye distances) and confidence."""
    bounds: Int32[np.ndarray, "levels"]
    """Greatest absolute level."""
    zero: Int32[np.ndarray, "4 levels 15"]
    """That a difference is not zero, by kind and context: HINTS * activity + hint."""
    against: Int32[np.ndarray, "4 levels"]
    """That it has the other sign than what hints at it."""
    more: Int32[np.ndarray, "4 levels 4"]
    """That a magnitude is greater than 1, 2, ..., by kind."""

    def __post_init__(self) -> None:
        assert 2 * self.bounds.max() <= REACH, "two levels may differ by more than can be told"


@cache
def load_tables() -> Tables:
    """The tables of this version."""
    told = json.loads((files("models") / "data" / "motion_tables.json").read_text())
    return Tables(**{name: np.array(told[name], np.int32) for name in Tables.__slots__})
