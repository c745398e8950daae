"""What the released code of GOHA computes on its way, and how near ours has to be."""

from golden.stages import Index, Stage, every, largest, outliers, share

EXACT, DEEP, DRAWN = 5e-6, 5e-5, 5e-4
"""Rounding alone; through many layers, or after the fine samples, which it moves; after the face has been drawn, whose
vertices lie on a grid of 1/256 of a pixel."""
FLIPPED = 1e-2
"""Share of places at which rounding may have taken the other of two points that are as near as each other."""
PLANES: Index = every(1, 4, 32, 32)
FEATURES: Index = every(8, 16, 16)
PIXELS: Index = (slice(None, None, 4), slice(None, None, 4))
ALL: Index = (slice(None),)
_COARSE: Index = (slice(None, None, 16), slice(None, None, 16))
_VERTICES: Index = (slice(None, None, 17),)
STAGES = {
    "coefficients.picture": Stage(ALL, EXACT),
    "coefficients.portraits": Stage(ALL, EXACT),
    "face.vertices": Stage(_VERTICES, EXACT),
    "face.texture": Stage(_VERTICES, EXACT),
    "face.colours": Stage(_VERTICES, EXACT),
    "face.mask": Stage(ALL, 0, distance=share),
    "face.depth": Stage(PIXELS, EXACT),
    "face.picture": Stage((slice(None), *PIXELS), DRAWN),
    "masks.src_classes": Stage(every(1, 32, 32), EXACT),
    "masks.src_keep": Stage((0, 0), 1e-3, distance=share),
    "masks.tgt_classes": Stage(every(1, 32, 32), EXACT),
    "masks.tgt_keep": Stage((0, 0), 1e-3, distance=share),
    "masks.squares_keep": Stage((0, 0), 0, distance=share),
    **{f"canonical.map{k}": Stage(every(8, step, step), EXACT) for k, step in enumerate((16, 8, 4, 2))},
    "canonical.features": Stage(FEATURES, EXACT),
    "canonical.planes": Stage(PLANES, EXACT),
    "expression.features": Stage(FEATURES, EXACT),
    "expression.planes": Stage(PLANES, EXACT),
    "field.directions": Stage(_COARSE, EXACT),
    "field.colour": Stage(ALL, EXACT),
    "field.density": Stage(ALL, EXACT),
    "field.depths": Stage(ALL, EXACT),
    "render.features": Stage(_COARSE, DEEP),
    "render.depth": Stage(PIXELS, DEEP),
    "render.opacity": Stage(PIXELS, DEEP),
    "appearance.points": Stage((slice(None, None, 8), slice(None, None, 8)), DEEP),
    "appearance.detail": Stage(every(1, 16, 16), DEEP),
    "appearance.features": Stage(FEATURES, DEEP),
    **{f"appearance.distance_{plane}": Stage(ALL, DEEP) for plane in ("xy", "xz", "zy")},
    "appearance.on_planes": Stage(every(1, 8, 16, 16), FLIPPED, distance=outliers),
    "appearance.planes": Stage(PLANES, FLIPPED, distance=outliers),
    "low.picture": Stage(every(1, 8, 8), DEEP),
    "low.depth": Stage((slice(None, None, 8), slice(None, None, 8)), DEEP),
    "restoration.styles": Stage((0, slice(None), slice(None, None, 16)), EXACT),
    "restoration.picture": Stage(every(1, 8, 8), DEEP),
    "frame.canonical": Stage(PLANES, EXACT),
    "frame.face": Stage(every(1, 8, 8), DRAWN),
    "frame.detail": Stage(every(1, 16, 16), DRAWN),
    "frame.appearance": Stage(PLANES, 2 * FLIPPED, distance=outliers),
    "frame.planes": Stage(PLANES, 2 * FLIPPED, distance=outliers),
    "frame.low": Stage(every(1, 4, 4), 5e-3, distance=largest),
    "frame.depth": Stage((slice(None, None, 8), slice(None, None, 8)), DRAWN),
    "frame.picture": Stage(every(1, 8, 8), DRAWN),
}
