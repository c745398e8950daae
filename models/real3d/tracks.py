"""Poses of another clip as a portrait's own, and the smoothing of what changes from frame to frame."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from models.one_euro import OneEuro

_BOX = 7  # frames


@dataclass(frozen=True, slots=True, eq=False)
class PoseTrack:
    """Poses of the face model, one a frame (see `models.real3d.camera`)."""

    euler: Float32[np.ndarray, "t 3"]
    """Radians about x, y and z."""
    translation: Float32[np.ndarray, "t 3"]
    """Decimetres."""

    def looped(self, count: int) -> "PoseTrack":
        """`count` frames of it: forwards, backwards, forwards, ..."""
        frames = mirrored(len(self.euler), count)
        return PoseTrack(self.euler[frames], self.translation[frames])

    def at_one_distance(self) -> "PoseTrack":
        """All frames as far from the camera as the first."""
        translation = self.translation.copy()
        translation[:, 2] = translation[0, 2]
        return PoseTrack(self.euler, translation)

    def starting_at(self, euler: Float32[np.ndarray, "3"], translation: Float32[np.ndarray, "3"]) -> "PoseTrack":
        """Shifted as a whole so that the first frame has this pose: that of the portrait, say."""
        return PoseTrack(self.euler + (euler - self.euler[0]), self.translation + (translation - self.translation[0]))


def mirrored(length: int, count: int) -> Int64[np.ndarray, "count"]:
    """`count` frame numbers of a clip of `length` that is played forwards and backwards; both ends are shown twice."""
    step = np.arange(count) % (2 * length)
    return np.minimum(step, 2 * length - 1 - step)


def box_smoothed(values: Float[np.ndarray, "t n"]) -> Float[np.ndarray, "t n"]:
    """Each frame the mean of the seven around it, the clip mirrored at both ends: the released tool's smoothing of the
    torso's key points. It needs the future: for live use see `LiveSmoothing`.

    Raises:
        ValueError: fewer than three frames.
    """
    half = _BOX // 2
    if len(values) < half:
        raise ValueError(f"{len(values)} frames cannot be mirrored by {half}")
    padded = np.concatenate([values[:half][::-1], values, values[-half:][::-1]]).astype(np.float64)
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), padded]), axis=0)
    return ((sums[_BOX:] - sums[:-_BOX]) / _BOX).astype(values.dtype)


class LiveSmoothing:
    """Takes the tremble out of a stream without the future: strongly while it rests, hardly while it moves.

    The released boxes of seven frames would show everything 120 ms late.
    """

    def __init__(self, moving_per_s: float) -> None:
        """`moving_per_s`: a speed at which the values count as moving, and come through within a frame or two."""
        self._filter = OneEuro(min_cutoff_hz=_RESTING_HZ, beta=_MOVING_HZ / moving_per_s)

    def __call__(self, values: Float[np.ndarray, "n"], pts_ns: int) -> Float[np.ndarray, "n"]:
        """The smoothed values of one instant; instants must not go back, see `OneEuro`."""
        return self._filter(values, pts_ns)

    def reset(self) -> None:
        """Forgets the past, for another driver."""
        self._filter.reset()


_RESTING_HZ, _MOVING_HZ = 1.5, 6.0


def live_pose() -> LiveSmoothing:
    """For the six numbers of a pose, `euler` and `translation`."""
    return LiveSmoothing(moving_per_s=0.5)


def live_keypoints() -> LiveSmoothing:
    """For the torso's key points, in half pictures."""
    return LiveSmoothing(moving_per_s=0.5)
