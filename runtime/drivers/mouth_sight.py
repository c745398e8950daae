"""Whether the mouth that a tracker has found is seen at all, or only guessed."""

import numpy as np
from jaxtyping import UInt8

from models.expression import eye_distance
from models.face import FaceModel
from models.landmarks import Landmarks
from models.pose import fit_pose
from models.topology import OUTER_LIPS
from runtime.drivers.lips import LipMemory, Lips

FADE_NS = 150_000_000
"""Confidence goes from 0 to 1, or back, within this time."""

_DOUBTING_NS, _TRUSTING_NS = 60_000_000, 120_000_000  # how long a mouth is doubted, or not, until that counts
_LEAST_FRAMES = 2  # that it takes, however slow they come
_SURE = 0.8  # doubt below which a mouth is believed again, and learnt
_EDGE = 0.02  # eye distances that lips keep from the frame's edge
_TURNED = np.deg2rad(50)  # away from the camera, where half of the mouth is guessed
_DARK, _NOISY = 12.0, 0.35  # levels; grain by level
_ACCUSTOMED_NS = 2_000_000_000  # lips that have looked otherwise for so long are in another light, or somebody else's


class MouthSight:
    """Frame and landmarks -> how far the mouth's landmarks can be believed.

    Not at all where lips are beyond the frame's edge, in the dark, turned away or hidden (see `LipMemory`). Time is
    that of the frames: the same frames give the same confidences.
    """

    def __init__(self, model: FaceModel) -> None:
        self._mean = model.mean
        Lips.of(np.zeros((1, 1, 3), np.uint8), model.mean)  # compiles what the first face would wait for
        self._memory = LipMemory()
        self._doubt, self._confidence = 0.0, 1.0
        self._trusted = True
        self._pts_ns: int | None = None
        self._other_ns = 0  # how long other lips have been seen

    def __call__(self, image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks, pts_ns: int) -> float:
        """0..1 for the next frame; by how much it may change is the time since the last one, in parts of `FADE_NS`."""
        elapsed_ns = 0 if self._pts_ns is None else max(0, pts_ns - self._pts_ns)
        seen_ns = min(elapsed_ns, FADE_NS)  # a mouth was not seen while there was no frame of it
        self._pts_ns = pts_ns
        lips = Lips.of(image, landmarks)
        unseen, unlike = self._unseen(image, landmarks, lips), self._memory.doubt(lips)
        doubt = max(unseen, unlike)
        self._decide(doubt, elapsed_ns)
        if self._trusted and doubt < _SURE:
            self._memory.learn(lips, seen_ns / 1e9)
        self._accustom(lips, not self._trusted and unseen < _SURE, seen_ns)
        step = min(elapsed_ns / FADE_NS, 1 / _LEAST_FRAMES)
        self._confidence = min(max(self._confidence + (step if self._trusted else -step), 0.0), 1.0)
        return self._confidence

    def _unseen(self, image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks, lips: Lips) -> float:
        """0 and more; from 1 on nothing could be seen of any lips."""
        contour = landmarks[OUTER_LIPS, :2]
        margin = _EDGE * eye_distance(landmarks)
        bounds = np.array(image.shape[1::-1]) - 1 - margin
        if contour.min() < margin or (contour.max(0) > bounds).any():
            return 1.0
        turned = float(np.arccos(np.clip(fit_pose(landmarks, self._mean).rotation[2, 2], -1, 1)))
        light = max(lips.light, 1.0)
        return float(max(turned / _TURNED, _DARK / light, lips.grain / light / _NOISY))

    def _decide(self, doubt: float, elapsed_ns: int) -> None:
        """Doubt and trust must last; between `_SURE` and 1 all stays as it is."""
        if doubt >= 1.0:
            self._doubt += min(elapsed_ns / _DOUBTING_NS, 1 / _LEAST_FRAMES)
        elif doubt < _SURE:
            self._doubt -= min(elapsed_ns / _TRUSTING_NS, 1 / _LEAST_FRAMES)
        self._doubt = min(max(self._doubt, 0.0), 1.0)
        if self._doubt in (0.0, 1.0):
            self._trusted = self._doubt == 0.0

    def _accustom(self, lips: Lips, doubted: bool, seen_ns: int) -> None:
        """Lips that have looked otherwise for long enough are known anew."""
        self._other_ns = self._other_ns + seen_ns if doubted and self._memory.resembles_any(lips) else 0
        if self._other_ns >= _ACCUSTOMED_NS:
            self._memory.begin_with(lips)
            self._other_ns = 0
