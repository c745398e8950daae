"""The head's pose from landmarks and from pixels: still when the head is still, whatever the face does."""

import numpy as np
from jaxtyping import Float, UInt8

from calibration.fit import MotionFit
from models.ease import smoothstep
from models.landmarks import Landmarks
from runtime.drivers.head_flow import HeadFlow

# Face widths per second of the nose bridge: below the first, pixels alone move the head; above the second, landmarks.
_SLOW, _FAST = 0.05, 0.2
_RUSH = 0.9
# Seconds in which the pose returns to that of the landmarks while the head moves, and while it moves fast.
_RETURN_S, _RETURN_FAST_S = 0.2, 0.03
_TURN, _TURNS_S = slice(0, 2), 1.0
_ASTRAY = (0.1, 0.2)  # face widths off the landmarks' pose at which pixels are no longer believed
_LEVER, _EYES_IN_FACE = 1.6, 0.65  # eye distances from pivot to nose bridge; face widths in an eye distance

Head = Float[np.ndarray, "6"]


class SteadyHead:
    """Follows the landmarks' pose step by step, with flow in place of the steps while the head hardly moves."""

    def __init__(self, fit: MotionFit) -> None:
        self._fit, self._flow = fit, HeadFlow()
        self._head: Head | None = None
        self._raw: Head = np.zeros(6)
        self._pts_ns = 0

    def reset(self) -> None:
        """Forgets the past."""
        self._flow.reset()
        self._head = None

    def __call__(self, image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks, pts_ns: int) -> Head:
        """The head in this frame, as in `MotionFit.head`."""
        raw, flow = self._fit.head(landmarks), self._flow(image, landmarks)
        elapsed_s = (pts_ns - self._pts_ns) / 1e9
        before, raw_before = self._head, self._raw
        self._raw, self._pts_ns = raw, pts_ns
        if before is None or elapsed_s <= 0:
            self._head = raw
            return raw
        # When pixels cannot be followed, the head moves fast or has just come.
        speed = _RUSH if flow is None else flow.speed / elapsed_s
        astray = smoothstep(*_ASTRAY, _length(raw - before))
        by_landmarks = max(smoothstep(_SLOW, _FAST, speed), astray)
        return_s = _RETURN_S + (_RETURN_FAST_S - _RETURN_S) * smoothstep(_FAST, _RUSH, speed)
        moved = before.copy() if flow is None else self._fit.moved(before, flow.similarity)
        # Pixels do not tell turning from shifting: yaw and pitch are the landmarks', slowly while the head is still.
        moved[_TURN] += (1 - float(np.exp(-elapsed_s / _TURNS_S))) * (raw_before - before)[_TURN]
        back = (1 - float(np.exp(-elapsed_s / return_s))) * (raw_before - before)
        self._head = moved + by_landmarks * (before + raw - raw_before + back - moved)
        return self._head


def _length(step: Head) -> float:
    """About how far the nose bridge goes with the head, in face widths."""
    return float(_EYES_IN_FACE * np.linalg.norm([*(_LEVER * step[:3]), *step[3:5]]))
