"""Motion <-> levels: whole numbers, which is what travels.

Coefficients that an engine reads by themselves (eyes, the neutral mouth, the tongue) have steps of their own. The
others are told by where they bring the face's points: along the directions in which faces mostly move (a
Karhunen-Loeve transform in the metric of the points), in steps that are equally far for points, half so at the lips.
What moves no point costs nothing.
"""

import numpy as np
from jaxtyping import Float64, Int32

from models.motion import COEFFICIENTS, Motion
from models.wire.tables import UNIT, load_tables

_SLACK = 0.6  # of a step, that a value may leave its last level by before another is taken: noise costs bits
_EXPRESSION, _CONFIDENCE = 2.0, 1.0  # greatest values

Levels = Int32[np.ndarray, "levels"]
"""Of the directions, the coefficients told by themselves, rotation, translation and confidence."""


def to_levels(motion: Motion, last: Levels | None = None) -> Levels:
    """Quantises what travels of a motion. With `last`, the levels of the motion before, values near them stay."""
    exact = exact_levels(motion)
    levels = np.rint(exact)
    if last is not None:
        levels = np.where(np.abs(exact - last) <= _SLACK, last, levels)
    return bounded(levels.astype(np.int32))


def exact_levels(motion: Motion) -> Float64[np.ndarray, "levels"]:
    """What is rounded."""
    tables = load_tables()
    rest = (motion.expression[tables.single], motion.rotation, motion.translation, np.array([motion.confidence]))
    directions = motion.expression[tables.joint] @ tables.analysis / np.float32(UNIT)
    return np.concatenate([directions, np.concatenate(rest) * np.float32(UNIT) / tables.steps])


def to_motion(levels: Levels, pts_ns: int) -> Motion:
    """The motion that levels stand for."""
    tables = load_tables()
    directions, rest = np.split(levels, [len(tables.synthesis)])
    single, rotation, translation, confidence = np.split(
        (rest * tables.steps / UNIT).astype(np.float32), np.cumsum([len(tables.single), 3, 3])
    )
    expression = np.zeros(len(COEFFICIENTS), np.float32)
    expression[tables.single] = single
    expression[tables.joint] = directions @ tables.synthesis / UNIT
    expression = np.clip(expression, -_EXPRESSION, _EXPRESSION)
    return Motion(pts_ns, expression, rotation, translation, float(np.clip(confidence[0], 0, _CONFIDENCE)))


def bounded(levels: Levels) -> Levels:
    """Levels that no motion of a person needs are brought to the nearest that one might."""
    bounds = load_tables().bounds
    return np.clip(levels, -bounds, bounds)
