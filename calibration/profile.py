"""What is known of the person who drives: neutral face, rest pose, ranges, and how the mouth goes with the voice."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

from models.audio.speaker_layer import SpeakerLayer
from models.ease import smoothstep
from models.motion import COEFFICIENTS, INDEX

CALIBRATED = {
    "jawOpen": ("jawOpen",),
    "mouthSmile": ("mouthSmile",),
    "mouthPucker": ("mouthPucker", "mouthFunnel"),
    "browInnerUp": ("browInnerUp",),
    "browOuterUp": ("browOuterUp",),
}
"""Expressions that a calibration asks for, and the coefficients, without their sides, that share in each."""
SEEN = 0.3
"""An expression whose high end, per coefficient, stays below this was not really made; its range stays the default."""
LEAST_GAIN, MOST_GAIN = 0.6, 1.8

_SURELY = 0.6  # an expression whose high end is above this was made in full

FieldOfViewSource = Literal["given", "default"]


@dataclass(frozen=True, slots=True)
class RestPose:
    """How the head is held at rest, in parts of the picture, so that it holds at any resolution of the camera."""

    rotation: tuple[float, float, float]
    """Rotation vector of the head in the camera frame, radians."""
    place: tuple[float, float]
    """Origin of canonical space from the middle of the picture, in picture heights; x right, y down."""
    scale: float
    """Canonical unit (mean distance of the outer eye corners) in picture heights."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One person in front of one camera. Arrays are never written."""

    name: str
    made: str
    """ISO date and time."""
    frames: int
    """Frames with a face that it was learnt from."""
    neutral: Float32[np.ndarray, "478 3"]
    """The face at rest, canonical space."""
    rest: RestPose
    low: Float32[np.ndarray, "64"]
    """Low end of each coefficient as seen, relative to `neutral` (2nd percentile)."""
    high: Float32[np.ndarray, "64"]
    """High end (98th percentile)."""
    eyes_closed: tuple[float, float] | None
    """Openness of the closed right and left eye (see `EyeContour.openness`); None where no blink was seen."""
    eyes_open: tuple[float, float]
    """Openness at rest."""
    field_of_view_deg: float
    """Horizontal, of the camera, degrees."""
    field_of_view_source: FieldOfViewSource
    """A face alone does not tell the field of view: a narrow one far away looks like a wide one near by. So it is what
    the user gave, or a usual webcam's."""
    proportions: Float32[np.ndarray, "d"]
    """What tells this person from another, see `calibration.likeness`."""
    variation: Float32[np.ndarray, "v d"]
    """How much of that varies by itself."""
    speech: SpeakerLayer | None = None
    """How this person's mouth goes with the voice; None where it was not learnt."""

    def gains(self) -> Float32[np.ndarray, "64"]:
        """What to multiply coefficients with so that this person's full expression is the model's (1).

        Only `CALIBRATED` expressions are scaled: most others partly stand in for one another in a fit, and unequal
        gains would tear them apart. Both sides share a gain, so that an asymmetric smile stays one, and so do shapes
        that a fit can hardly tell apart. What was hardly made keeps 1, the rest stays in 0.6..1.8: beyond, a person
        who held back during the calibration would grimace ever after, and the noise of the tracker with them.
        """
        gains = np.ones(len(COEFFICIENTS), np.float32)
        for name in CALIBRATED:
            high = max(self._high(name), 1e-6)
            made = smoothstep(SEEN, _SURELY, high / len(CALIBRATED[name]))
            for part in CALIBRATED[name]:
                gains[_sides(part)] = np.clip(1 + made * (1 / high - 1), LEAST_GAIN, MOST_GAIN)
        return gains

    def saw(self, name: str) -> bool:
        """Whether one of the `CALIBRATED` expressions was seen made."""
        return self._high(name) >= SEEN * len(CALIBRATED[name])

    def _high(self, name: str) -> float:
        return float(sum(self.high[_sides(part)].mean() for part in CALIBRATED[name]))


def _sides(name: str) -> list[int]:
    """Indices of a coefficient, both sides where it has two."""
    return [INDEX[side] for side in (name, f"{name}Left", f"{name}Right") if side in INDEX]
