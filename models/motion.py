"""Motion: the one word that drivers, the mix, engines and peers share.

Sides are the subject's own (ARKit): "Left" lies at the right of an unmirrored picture.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32, UInt8

ARKIT = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The 52 blend shapes of ARKit, in Apple's order; 0 is rest, 1 the full shape."""

RESIDUAL_COUNT = 11

COEFFICIENTS = (*ARKIT, "mouthNeutral", *(f"residual{i:02d}" for i in range(RESIDUAL_COUNT)))
"""Names of the 64 expression coefficients.

`mouthNeutral` belongs to the portrait, not to the face model: 0 keeps the mouth of the photo (a smile with teeth
stays one), 1 closes it to a neutral mouth, so that mouth shapes then count from closed lips. Drivers that know the
mouth set it to 1. `residual00`.. are smooth modes of the face surface, for what the named shapes cannot reach.
"""

INDEX = {name: i for i, name in enumerate(COEFFICIENTS)}
"""Coefficient name -> index."""

MOUTH = np.array([name.startswith(("jaw", "mouth", "tongue")) or name == "cheekPuff" for name in COEFFICIENTS])
"""Boolean mask [64] of the coefficients that speech moves."""

CAMERA_DISTANCE = 10.0
"""Nominal distance of the face from the camera in inter-ocular distances (about 63 cm)."""

_ZERO3 = np.zeros(3, np.float32)


def expression(**values: float) -> Float32[np.ndarray, "64"]:
    """Coefficients from names, the others 0: `expression(jawOpen=0.5)`. Raises KeyError for an unknown name."""
    out = np.zeros(len(COEFFICIENTS), np.float32)
    for name, value in values.items():
        out[INDEX[name]] = value
    return out


@dataclass(frozen=True, slots=True, eq=False)
class MouthPatch:
    """What a camera saw between the driver's lips, and nothing else of the driver."""

    pixels: UInt8[np.ndarray, "ph pw 3"]
    """RGB, the corners of the mouth level; black (0, 0, 0) where it is not between the lips, and only there."""
    lips: Float32[np.ndarray, "20 2"]
    """The inner contour of the lips (`topology.INNER_LIPS`) in pixels of the patch."""
    skin: Float32[np.ndarray, "3"]
    """Colour of the driver's cheeks, RGB 0..255: the light that the patch was seen in."""
    weight: float = 1.0
    """0..1: how far it takes the place of a painted mouth."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """How the face looks at one instant, relative to the portrait at rest."""

    pts_ns: int
    """Instant described, on the capture clock."""
    expression: Float32[np.ndarray, "64"] = field(default_factory=lambda: expression())
    """Coefficients in the order of `COEFFICIENTS`; nominally 0..1, residuals -1..1."""
    rotation: Float32[np.ndarray, "3"] = field(default_factory=lambda: _ZERO3.copy())
    """Rotation vector of the head in the camera frame (x right, y down, z away), radians, relative to rest."""
    translation: Float32[np.ndarray, "3"] = field(default_factory=lambda: _ZERO3.copy())
    """Shift of the neck pivot in the camera frame, inter-ocular distances; z < 0 comes nearer."""
    confidence: float = 1.0
    """0..1; 0 means that the driver saw no face or heard nothing."""
    mouth_confidence: float = 1.0
    """0..1: how far the mouth can be believed where the rest is; 0 where it is hidden, say. It counts within
    `confidence` and is not eased: who mixes motions eases it."""
    surface: Float32[np.ndarray, "478 3"] | None = None
    """What coefficients and head leave of a tracked face's movement, per landmark, in canonical space (see
    `models.face.FaceModel`) and eye distances. An engine may add it for fidelity or leave it out: `expression` is the
    whole motion by itself, and the only part that travels in a few bytes."""
    mouth: MouthPatch | None = None
    """The driver's own teeth and tongue, where the driver has agreed to show them. An engine may draw them in place of
    painted ones: `expression` is still the whole motion."""

    speech: Float32[np.ndarray, "windows symbols span"] | None = None
    """What is heard around this instant, in the numbers of an engine that listens by itself; for others, and where
    nothing is heard, None. It does not travel and is not interpolated."""
    torso: Float32[np.ndarray, "2"] | None = None
    """Shift of the torso in the picture, inter-ocular distances; None leaves it to the engine. It is set last, when
    the motions before this one are known, and is not interpolated."""

    def __getitem__(self, name: str) -> float:
        """One coefficient by name."""
        return float(self.expression[INDEX[name]])

    @property
    def is_finite(self) -> bool:
        """Whether all that moves the portrait is a number; what is not must not be drawn."""
        moving = (self.expression, self.rotation, self.translation, self.surface)
        scalars = (self.confidence, self.mouth_confidence)
        return bool(np.isfinite(scalars).all()) and all(v is None or bool(np.isfinite(v).all()) for v in moving)

    def at(self, pts_ns: int) -> "Motion":
        """The same motion, said to describe another instant."""
        return replace(self, pts_ns=pts_ns)


def lerp(a: Motion, b: Motion, weight: float) -> Motion:
    """`a` moved towards `b` by `weight` 0..1, time included.

    Rotation vectors are mixed linearly: heads turn by less than a radian, where the error is under 1 %. Pictures of a
    mouth are not mixed: the nearer motion's, or its lack of one, is taken.
    """
    w = float(np.clip(weight, 0.0, 1.0))
    f = np.float32(w)
    return Motion(
        pts_ns=a.pts_ns + round((b.pts_ns - a.pts_ns) * w),
        expression=a.expression + (b.expression - a.expression) * f,
        rotation=a.rotation + (b.rotation - a.rotation) * f,
        translation=a.translation + (b.translation - a.translation) * f,
        confidence=a.confidence + (b.confidence - a.confidence) * w,
        mouth_confidence=a.mouth_confidence + (b.mouth_confidence - a.mouth_confidence) * w,
        surface=_lerp_surface(a.surface, b.surface, f),
        mouth=(a if w < 0.5 else b).mouth,
        speech=(a if w < 0.5 else b).speech,
    )


def _lerp_surface(
    a: Float32[np.ndarray, "478 3"] | None, b: Float32[np.ndarray, "478 3"] | None, weight: np.float32
) -> Float32[np.ndarray, "478 3"] | None:
    """A missing surface counts as zero."""
    if a is None:
        return None if b is None else b * weight
    return a * (1 - weight) if b is None else a + (b - a) * weight
