"""What the released code of Talk3D computes on its way, and how near ours has to be."""

from golden.stages import Index, Stage, every, largest, largest_of_spread

NEAR = 1e-4
"""Of the values' spread."""
DEGREES = 1e-2
"""Where a solver iterates."""
_ALL: Index = (slice(None),)
_PLANES: Index = every(8, 22, 20)
_THIRD = slice(None, None, 3)


def _near(part: Index) -> Stage:
    return Stage(part, NEAR, distance=largest_of_spread)


STAGES = {
    "tokens.windows": _near(_ALL),
    "tokens.speech": _near(every(1)),
    "tokens.eye_waves": _near(every(1)),
    "tokens.angles_waves": _near(every(1)),
    "tokens.landmarks_waves": _near(every(1)),
    "tokens.eye": _near(every(1, 1)),
    "tokens.angles": _near(every(1, 1)),
    "tokens.landmarks": _near(every(1, 1)),
    "tokens.all": _near(every(1, 1)),
    "field.cameras": _near(_ALL),
    "field.frontal_camera": _near(every(1)),
    "field.latent": _near(every(1)),
    "field.origins": _near(every(1639, 1)),
    "field.directions": _near(every(50, 1)),
    "field.colour": _near(every(1, 1)),
    "field.density": _near(every(1, 1)),
    "planes.neutral": _near(_PLANES),
    "planes.without_noise": _near(every(14, 32, 32)),
    "render.looked_up": _near(every(1, 1, 1)),
    "render.features": _near(every(132, 1)),
    "render.depth": _near(every(21, 1)),
    "render.opacity": _near(every(33, 1)),
    "super_resolution.picture": _near(every(1, 15, 14)),
    "delta.places": _near(every(17, 12)),
    **{f"delta.rolled_{plane}": _near(every(1, 1, 1)) for plane in ("xy", "yz", "zx")},
    "delta.deepest": _near(every(52, 3, 2)),
    "delta.first": _near(every(20, 13, 13)),
    "delta.second": _near(every(39, 7, 7)),
    "delta.told": _near(every(52, 3, 2)),
    "delta.planes": _near(every(7, 16, 16)),
    "frame.delta": _near(_PLANES),
    "frame.seen": _near(every(1, 5, 4)),
    "frame.picture": _near(every(1, 15, 14)),
    "restoration.enlarged": _near(every(1, 21, 20)),
    "restoration.picture": _near(every(1, 13, 13)),
    "audio.windows": Stage((_THIRD, slice(None), _THIRD), 0, distance=largest),
    **{f"audio.{which}": Stage((slice(None), _THIRD), 0, distance=largest) for which in ("first", "inner", "last")},
    "pose.angles_from_normalised": Stage(_ALL, DEGREES, distance=largest),
    "pose.angles_from_pixels": Stage(_ALL, DEGREES, distance=largest),
}
