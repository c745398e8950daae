"""A person's video, made ready for networks that learn the person: one face, cut out of every frame alike.

As Talk3D's preparation does it, with landmarks of mediapipe's mesh in place of those of 2D-FAN, and lids measured on
them in place of OpenFace's. Two of its slips are left out, as who learns anew should: smoothed landmarks are not cut to
whole pixels, and the head's angles are solved for in pixels (see `models.talk3d.pose`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from scipy.ndimage import gaussian_filter1d

from models.errors import InputError
from models.landmarks import Landmarks
from models.talk3d.pose import POINTS, solved_angles
from models.topology import IBUG68, LEFT_LOWER_LID, LEFT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_UPPER_LID

FPS = 25
SHORTEST_S = 3.0
SIX = IBUG68[list(POINTS)]
"""On the mesh: the landmarks that faces are laid over one another by."""
_LEAST_SEEN = 0.9  # of the frames
_MOST_CROWDED = 0.1  # of those that were searched for other people
_STEADY, _STEADY_ANGLES = 2, 1  # frames: standard deviations of what is smoothed
_LIDS = ((RIGHT_UPPER_LID, RIGHT_LOWER_LID), (LEFT_UPPER_LID, LEFT_LOWER_LID))
_SHUT = 2.0  # on the scale of the eyes

Picture = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, slots=True, eq=False)
class FaceTrack:
    """One face in all frames of a video."""

    faces: Float32[np.ndarray, "n 478 2"]
    """Pixels."""
    width: int
    height: int

    def landmarks(self) -> Float32[np.ndarray, "n 6 2"]:
        """Of `SIX`, over half of the frame's width, from the middle."""
        return (2 * (self._steady() / self.width - 0.5)).astype(np.float32)

    def angles(self) -> Float32[np.ndarray, "n 3"]:
        """Pitch, yaw and roll in degrees."""
        solved = np.array([solved_angles(points, self.width, self.height) for points in self._steady()])
        return gaussian_filter1d(solved, _STEADY_ANGLES, axis=0, mode="nearest").astype(np.float32)

    def eyes(self) -> Float32[np.ndarray, "n"]:
        """How far they are shut: 0 as mostly, 2 all the way."""
        parts = [_opening(self.faces[:, upper], self.faces[:, lower]) for upper, lower in _LIDS]
        opening = np.mean(parts, 0)
        return (_SHUT * np.clip(1 - opening / max(float(np.median(opening)), 1e-6), 0, 1)).astype(np.float32)

    def cuts(self, target: Float[np.ndarray, "6 2"], side: int) -> Float32[np.ndarray, "n 2 3"]:
        """What lays the face of each frame over `target` (0..1) in a square of so many pixels."""
        return np.stack([overlay(points, target * side) for points in self._steady()]).astype(np.float32)

    def _steady(self) -> Float[np.ndarray, "n 6 2"]:
        return gaussian_filter1d(self.faces[:, SIX].astype(np.float64), _STEADY, axis=0, mode="nearest")


def cut(image: Picture, move: Float32[np.ndarray, "2 3"], side: int) -> UInt8[np.ndarray, "side side 3"]:
    """A face cut out; beyond the frame its rim goes on."""
    return cv2.warpAffine(image, move, (side, side), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)


def moved(points: Float32[np.ndarray, "n 2"], move: Float32[np.ndarray, "2 3"]) -> Float32[np.ndarray, "n 2"]:
    """Points of a frame in what was cut out of it."""
    return points @ move[:, :2].T + move[:, 2]


def face_track(seen: Sequence[Landmarks | None], crowded: Sequence[bool], width: int, height: int) -> FaceTrack:
    """The face in all frames; where it was not found, between where it was.

    Args:
        seen: in each frame, 25 of them per second.
        crowded: whether there was anybody else, in some of them.
        width: of a frame, pixels.
        height: the same.

    Raises InputError, a phrase: too short, too few frames with a face, several people.
    """
    if len(seen) < SHORTEST_S * FPS:
        raise InputError(f"{len(seen) / FPS:.1f} s are too short to learn a person from; give minutes of speech")
    found = [number for number, face in enumerate(seen) if face is not None]
    if len(found) < _LEAST_SEEN * len(seen):
        raise InputError(
            f"a face is seen in {len(found)} of {len(seen)} frames, and {_LEAST_SEEN:.0%} of them are needed; cut out "
            "what shows something else"
        )
    if crowded and np.mean(crowded) > _MOST_CROWDED:
        raise InputError("several people are in it; give a video of one, or cut the others out of its frames")
    known = np.stack([face[:, :2] for face in seen if face is not None]).reshape(len(found), -1)
    numbers = np.arange(len(seen))
    filled = np.stack([np.interp(numbers, found, column) for column in known.T], 1)
    return FaceTrack(filled.reshape(len(seen), -1, 2).astype(np.float32), width, height)


def overlay(points: Float[np.ndarray, "6 2"], target: Float[np.ndarray, "6 2"]) -> Float[np.ndarray, "2 3"]:
    """Shift, turn and scale; the scale is that of both's standard deviations, as the authors have it."""
    centre, wanted = points.mean(0), target.mean(0)
    a, b = points - centre, target - wanted
    angle = np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a * b).sum())
    scale = b.std() / max(float(a.std()), 1e-9)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, wanted - turn @ centre])


def _opening(upper: Float32[np.ndarray, "n k 2"], lower: Float32[np.ndarray, "n k 2"]) -> Float[np.ndarray, "n"]:
    gap = np.linalg.norm(upper[:, 1:-1] - lower[:, 1:-1], axis=2).mean(1)
    return gap / np.linalg.norm(upper[:, 0] - upper[:, -1], axis=1)
