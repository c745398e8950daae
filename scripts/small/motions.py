"""Motions as people make them: mouths that speak or smile, lids, brows, gaze and a turning head."""

import numpy as np

from models.motion import COEFFICIENTS, INDEX, RESIDUAL_COUNT, Motion, expression

_TURN = np.deg2rad([13.0, 21.0, 9.0])
"""Greatest pitch, yaw and roll."""
_WIDE = 0.35
"""Part of the mouths that speak which are wide open."""
_SHAPES = (  # of the mouth: names (with both sides), how often, up to
    (("mouthSmileLeft", "mouthSmileRight"), 0.26, 1.0),
    (("mouthFunnel",), 0.12, 1.0),
    (("mouthPucker",), 0.16, 1.0),
    (("mouthStretchLeft", "mouthStretchRight"), 0.08, 1.0),
    (("mouthLowerDownLeft", "mouthLowerDownRight"), 0.14, 0.9),
    (("mouthUpperUpLeft", "mouthUpperUpRight"), 0.12, 0.8),
    (("mouthFrownLeft", "mouthFrownRight"), 0.08, 0.8),
    (("mouthPressLeft", "mouthPressRight"), 0.08, 0.8),
    (("mouthRollLower", "mouthRollUpper"), 0.08, 0.8),
    (("mouthShrugLower", "mouthShrugUpper"), 0.06, 0.8),
    (("mouthDimpleLeft", "mouthDimpleRight"), 0.06, 0.8),
    (("mouthLeft",), 0.04, 0.8),
    (("mouthRight",), 0.04, 0.8),
    (("jawLeft",), 0.04, 0.7),
    (("jawRight",), 0.04, 0.7),
    (("cheekPuff",), 0.04, 0.8),
    (("noseSneerLeft", "noseSneerRight"), 0.08, 0.8),
    (("cheekSquintLeft", "cheekSquintRight"), 0.08, 0.8),
    (("browDownLeft", "browDownRight"), 0.15, 1.0),
    (("browInnerUp",), 0.16, 1.0),
    (("browOuterUpLeft", "browOuterUpRight"), 0.14, 1.0),
    (("eyeSquintLeft", "eyeSquintRight"), 0.1, 0.8),
    (("eyeWideLeft", "eyeWideRight"), 0.1, 0.8),
)
_GAZE = (
    ("eyeLookInLeft", "eyeLookOutRight"),
    ("eyeLookOutLeft", "eyeLookInRight"),
    ("eyeLookUpLeft", "eyeLookUpRight"),
    ("eyeLookDownLeft", "eyeLookDownRight"),
)


def random_motion(random: np.random.Generator) -> Motion:
    """A moment of somebody who speaks, smiles or looks about."""
    values = dict.fromkeys(COEFFICIENTS, 0.0)
    if random.random() < 0.65:
        values["jawOpen"] = random.uniform(0.7, 1) if random.random() < _WIDE else random.uniform(0, 1)
    values["mouthNeutral"] = float(random.choice([0.0, 1.0, random.uniform()], p=[0.35, 0.55, 0.1]))
    for names, often, most in _SHAPES:
        if random.random() < often:
            strength = random.uniform(0.2, most)
            for name in names:
                values[name] = float(strength * random.uniform(0.75, 1.0))
    if random.random() < 0.5:
        blink = float(random.choice([1.0, random.uniform(0.2, 1.0)], p=[0.6, 0.4]))
        values["eyeBlinkLeft"] = values["eyeBlinkRight"] = blink
        if random.random() < 0.2:
            values[str(random.choice(["eyeBlinkLeft", "eyeBlinkRight"]))] = 0.0
    if random.random() < 0.4:
        for names in (_GAZE[random.integers(2)], _GAZE[2 + random.integers(2)]):
            strength = random.uniform(0, 0.9)
            for name in names:
                values[name] = float(strength)
    coefficients = expression(**values)
    if random.random() < 0.5:
        coefficients[INDEX["residual00"] :] = random.normal(0, 0.35, RESIDUAL_COUNT)
    turn = random.uniform(-1, 1, 3) * _TURN * (random.random() < 0.85)
    return Motion(0, coefficients, turn.astype(np.float32))
