"""What the recording that a person's avatar learnt from tells: how the networks were told of a head turned so far.

Angles and landmarks are the head's in the recording's own picture, in units of the authors' tools; whoever turns the
head at will has to look up what they were when it was turned so.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

_BANDWIDTH_RAD = 0.03
"""Frames turned nearly alike count together: what else differs between them, such as where the person sat, is lost."""
_SHARE = 5.0  # per cent at either end of how far the head was turned that are left out
_SHUT = 95.0  # per cent of frames in which the eyes are wider open than when they are shut

ENTRIES = {"latent": (512,), "turns": (2,), "angles": (3,), "landmarks": (3, 2), "eyes": ()}
"""Of a recording's file; all but the first have one row for each frame."""


class Pose(NamedTuple):
    """What the networks are told of a head, see `conditions.Frame`, and its camera."""

    angles: Float32[np.ndarray, "3"]
    landmarks: Float32[np.ndarray, "3 2"]
    yaw: float
    pitch: float
    """See `camera.camera_label`."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Of one person."""

    latent: Float32[np.ndarray, "512"]
    """The person, for the generator."""
    turns: Float32[np.ndarray, "n 2"]
    """Yaw and pitch of each frame's camera, see `camera.camera_label`."""
    angles: Float32[np.ndarray, "n 3"]
    landmarks: Float32[np.ndarray, "n 3 2"]
    eyes: Float32[np.ndarray, "n"]
    """How far they are shut, in OpenFace's units."""

    def pose(self, yaw: float, pitch: float) -> Pose:
        """Of a head turned so far from where it mostly was, radians, or as far as it ever was."""
        low, middle, high = self._range
        turn = np.clip(middle + (yaw, pitch), low, high)
        distance = np.square((self.turns - turn) / _BANDWIDTH_RAD).sum(1) / 2
        weights = np.exp(distance.min() - distance)
        weights = (weights / weights.sum()).astype(np.float32)
        landmarks = np.einsum("n,nkc->kc", weights, self.landmarks)
        return Pose(weights @ self.angles, landmarks, float(turn[0]), float(turn[1]))

    def eye(self, shut: float) -> float:
        """How far the eyes are shut where 0 is as mostly, and 1 all the way."""
        middle, end = self._lids
        return float(np.clip(middle + (end - middle) * shut, 0, 2))

    @cached_property
    def _range(self) -> np.ndarray:
        return np.percentile(self.turns, (_SHARE, 50, 100 - _SHARE), axis=0)

    @cached_property
    def _lids(self) -> np.ndarray:
        return np.percentile(self.eyes, (50, _SHUT))
