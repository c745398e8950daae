"""Motion -> where every vertex goes: expression on the portrait's own face, lids, lips, and the pose of the head."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32

from models.builtin.surround import Surround, smoothstep
from models.face import FaceModel
from models.motion import CAMERA_DISTANCE, INDEX, Motion
from models.pose import Pose, fit_pose
from models.topology import (
    CHIN,
    FACE_OVAL,
    FOREHEAD_TOP,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP,
    OUTER_EYE_CORNERS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    SURFACE_COUNT,
    UPPER_LIP,
)

Canonical = Float[np.ndarray, "478 3"]

NECK_PIVOT = np.array([0.0, 0.95, 0.85])
"""Canonical point about which the head turns: between mouth and chin, behind the ears."""
LIDS = ((RIGHT_UPPER_LID, RIGHT_LOWER_LID, "Right"), (LEFT_UPPER_LID, LEFT_LOWER_LID, "Left"))

_TORSO_GAIN = 0.45  # part of the head's shift that the torso follows
_TURN_KNEE, _TURN_LIMIT = np.deg2rad(25.0), np.deg2rad(40.0)
_SHIFT_KNEE, _SHIFT_LIMIT = 0.9, 1.6  # eye distances
_ZOOM = (0.7, 1.4)
_WIDE_GAIN = 0.7  # how much eyeWide = 1 opens the eye, relative to its rest opening


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The face of one frame."""

    canonical: Canonical
    vertices: Float[np.ndarray, "n 3"]
    """Pixels: 468 face points, then the grid of the surround."""
    linear: Float[np.ndarray, "3 3"]
    """How the head turns and scales a displacement given in pixels of the portrait."""
    pose: Pose


class Puppet:
    """The moving geometry of one portrait. Stateless: the same motion gives the same shape."""

    def __init__(
        self, landmarks: Float32[np.ndarray, "478 3"], surround: Surround, model: FaceModel
    ) -> None:
        self.rest_pose = fit_pose(landmarks, model.mean)
        self.rest = self.rest_pose.to_canonical(landmarks.astype(np.float64))
        self.rest_vertices = np.vstack([landmarks[:SURFACE_COUNT].astype(np.float64), surround.points])
        self.eye_distance = float(
            np.linalg.norm(self.rest[OUTER_EYE_CORNERS[0]] - self.rest[OUTER_EYE_CORNERS[1]])
        )
        self._surround = surround
        self._basis = self._fit_basis(model)
        self.closed = close_mouth(self.rest, model, self.eye_distance)
        """The portrait's face with its lips together."""
        self._basis[INDEX["mouthNeutral"]] = self.closed - self.rest
        self._pivot = self.rest_pose.to_picture(NECK_PIVOT[None])[0]

    def _fit_basis(self, model: FaceModel) -> Float[np.ndarray, "64 478 3"]:
        """The model's shapes at this face's size; blinks are scaled to its own eye opening."""
        basis = model.expression.astype(np.float64) * self.eye_distance
        for upper, lower, side in LIDS:
            gap = np.linalg.norm(self.rest[upper[4]] - self.rest[lower[4]])
            model_gap = np.linalg.norm(model.mean[upper[4]] - model.mean[lower[4]]) * self.eye_distance
            basis[INDEX[f"eyeBlink{side}"]] *= gap / model_gap
        return basis

    def shape(self, motion: Motion) -> Shape:
        """Where everything is under `motion`; at rest (all zeros) exactly where the portrait has it."""
        canonical = self._express(np.clip(motion.expression, -1.0, 1.5))
        pose, linear = self._pose(motion)
        out = np.empty_like(self.rest_vertices)
        out[:SURFACE_COUNT] = pose.to_picture(canonical[:SURFACE_COUNT])
        out[SURFACE_COUNT:] = self._move_surround(canonical, pose, linear)
        return Shape(canonical, out, linear, pose)

    def _express(self, coefficients: Float32[np.ndarray, "64"]) -> Canonical:
        canonical = self.rest + np.tensordot(coefficients.astype(np.float64), self._basis, 1)
        for upper, lower, side in LIDS:
            blink, wide = (float(coefficients[INDEX[f"eye{name}{side}"]]) for name in ("Blink", "Wide"))
            opening = max(0.0, 1.0 - blink + _WIDE_GAIN * wide)
            opening *= float(smoothstep(0.05, 0.18, np.array([opening]))[0]) if opening < 0.18 else 1.0
            gap = self.rest[upper[1:-1]] - self.rest[lower[1:-1]]
            canonical[upper[1:-1]] = canonical[lower[1:-1]] + gap * opening
        return part_lips(canonical)

    def _pose(self, motion: Motion) -> tuple[Pose, Float[np.ndarray, "3 3"]]:
        turn = cv2.Rodrigues(_limit(motion.rotation.astype(np.float64), _TURN_KNEE, _TURN_LIMIT))[0]
        shift = motion.translation.astype(np.float64)
        zoom = float(np.clip(CAMERA_DISTANCE / max(CAMERA_DISTANCE + shift[2], 1.0), *_ZOOM))
        rotation, scale = turn @ self.rest_pose.rotation, self.rest_pose.scale * zoom
        aside = _limit(shift[:2], _SHIFT_KNEE, _SHIFT_LIMIT) * self.rest_pose.scale * self.eye_distance
        pivot = self._pivot + [*aside, 0.0]
        return Pose(scale, rotation, pivot - scale * rotation @ NECK_PIVOT), zoom * turn

    def _move_surround(
        self, canonical: Canonical, pose: Pose, linear: Float[np.ndarray, "3 3"]
    ) -> Float[np.ndarray, "g 3"]:
        rest = self._surround.points
        rigid = (rest - self.rest_pose.translation) @ linear.T + pose.translation
        outline = (canonical[FACE_OVAL] - self.rest[FACE_OVAL]) @ pose.rotation.T * pose.scale
        torso = (self._pivot - self.rest_pose.translation) @ linear.T + pose.translation - self._pivot
        weight = self._surround.head_weight[:, None]
        moved = rest + weight * (rigid - rest) + (1 - weight) * _TORSO_GAIN * (torso * [1, 1, 0])
        return moved + self._surround.outline_weights @ outline


def close_mouth(canonical: Canonical, model: FaceModel, eye_distance: float) -> Canonical:
    """The face with opening shapes taken back until the inner lips meet; unchanged where they do."""
    opening = eye_distance * np.tensordot(
        np.array([0.35, 0.25, 0.25, 0.25, 0.25]),
        model.expression[
            [
                INDEX[n]
                for n in (
                    "jawOpen",
                    "mouthUpperUpLeft",
                    "mouthUpperUpRight",
                    "mouthLowerDownLeft",
                    "mouthLowerDownRight",
                )
            ]
        ].astype(np.float64),
        1,
    )
    down = _down(canonical)
    per_unit = (opening[14] - opening[13]) @ down
    gap = (canonical[14] - canonical[13]) @ down
    if gap <= 0.003 * eye_distance:
        return canonical.copy()
    return part_lips(_join_lips(canonical - opening * (gap / per_unit)))


def _join_lips(canonical: Canonical) -> Canonical:
    """Both inner lip contours moved to their midline."""
    out = canonical.copy()
    middle = 0.5 * (out[UPPER_LIP] + out[LOWER_LIP])
    out[UPPER_LIP], out[LOWER_LIP] = middle, middle
    return out


def part_lips(canonical: Canonical) -> Canonical:
    """Inner lips that crossed are moved to their midline."""
    down = _down(canonical)
    upper, lower = UPPER_LIP[1:-1], LOWER_LIP[1:-1]
    gap = np.minimum((canonical[lower] - canonical[upper]) @ down, 0.0)
    shift = 0.5 * gap[:, None] * down
    out = canonical.copy()
    out[upper] += shift
    out[lower] -= shift
    return out


def _down(canonical: Canonical) -> Float[np.ndarray, "3"]:
    axis = canonical[CHIN] - canonical[FOREHEAD_TOP]
    return np.asarray(axis / np.linalg.norm(axis))


def _limit(v: Float[np.ndarray, "n"], knee: float, limit: float) -> Float[np.ndarray, "n"]:
    """`v` unchanged up to length `knee`, then bent softly so that it stays under `limit`."""
    length = float(np.linalg.norm(v))
    if length <= knee:
        return v
    room = limit - knee
    return v * ((knee + room * np.tanh((length - knee) / room)) / length)
