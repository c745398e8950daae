"""Landmarks of a driving face -> Motion, relative to a reference frame or to what is known of the person."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, Float32

from calibration.kernels import bounded_solution
from calibration.profile import Profile, RestPose
from models.expression import EYES, blink_and_wide, close_mouth, eye_distance, lid_follow
from models.face import FaceModel
from models.motion import CAMERA_DISTANCE, INDEX, Motion
from models.pose import NECK_PIVOT, Pose, fit_pose
from models.topology import INNER_LIPS, OUTER_LIPS, SKULL_OVAL, SURFACE_COUNT

Landmarks = Float[np.ndarray, "478 3"]
Head = Float[np.ndarray, "6"]
"""Rotation and translation as in `Motion`, one after the other."""

_CLOSED = 0.085  # openness that landmarks show for a closed eye
_RIDGE = 2e-3  # pulls coefficients to 0, in squared canonical units per coefficient
_BOUNDS, _MOST_SWEEPS, _EXACT = (-1.0, 1.5), 300, 1e-4
_LIPS_WEIGHT, _LIPS_REACH = 5.0, 0.12  # lips count so much more than other points, and what is so near them
_DEPTH_WEIGHT = 0.3  # trackers guess depth
_GAZE_NARROWS = 0.22  # trackers see the eye that looks outwards narrower than it is, by this part
_DIRECT = ("eyeBlink", "eyeWide", "eyeLook")  # read off the lids and irises, not fitted
_AHEAD = Pose(1.0, np.eye(3), np.zeros(3))
_FIXED = ("mouthNeutral", "tongueOut", "jawForward")  # invisible to landmarks


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A driving face in one frame, relative to its reference."""

    rotation: Float[np.ndarray, "3"]
    """As in `Motion`."""
    translation: Float[np.ndarray, "3"]
    """As in `Motion`."""
    face: Landmarks
    """Canonical points."""


@dataclass(frozen=True, slots=True, eq=False)
class Zero:
    """The face and the head from which motion counts."""

    pose: Pose
    """Of the head, in pixels of the driving pictures."""
    face: Landmarks
    """The person's canonical face, to whose rigid points the head's pose is fitted."""
    neutral: Landmarks
    """Canonical face in which every coefficient is 0."""
    closed: tuple[float, float]
    """Openness of both eyes when closed."""
    opened: tuple[float, float]
    """Openness of both eyes at rest."""
    gains: Float32[np.ndarray, "64"]
    """What fitted coefficients are multiplied with."""

    @classmethod
    def of_frame(cls, reference: Landmarks, model: FaceModel) -> "Zero":
        """One frame of a person at rest; an open mouth in it is closed before it counts as neutral."""
        pose = fit_pose(reference, model.mean)
        return cls.of_face(pose.to_canonical(reference.astype(np.float64)), model, pose)

    @classmethod
    def of_face(cls, face: Landmarks, model: FaceModel, pose: Pose = _AHEAD) -> "Zero":
        """A canonical face at rest, the head held as in `pose`."""
        return cls(
            pose=pose,
            face=face,
            neutral=close_mouth(face, model),
            closed=(_CLOSED, _CLOSED),
            opened=_opened(face),
            gains=np.ones(len(INDEX), np.float32),
        )

    @classmethod
    def of_profile(cls, profile: Profile, pose: Pose, model: FaceModel) -> "Zero":
        """A known person, the head held as in `pose`."""
        zero = replace(cls.of_face(profile.neutral.astype(np.float64), model, pose), gains=profile.gains())
        if profile.eyes_closed is None:
            return zero
        return replace(zero, closed=profile.eyes_closed, opened=profile.eyes_open)

    @classmethod
    def of_mean(cls, reference: Landmarks, model: FaceModel) -> "Zero":
        """The mean face's expression on this person, looking straight into the camera from where the head is.

        What the model's shapes explain of the reference face's difference from the mean counts as expression; the
        rest is who it is, and stays out of the motion.
        """
        held = fit_pose(reference, model.mean)
        pivot = held.to_picture(NECK_PIVOT[None])[0]
        mean = cls.of_face(
            model.mean.astype(np.float64), model, Pose(held.scale, np.eye(3), pivot - held.scale * NECK_PIVOT)
        )
        face = held.to_canonical(reference.astype(np.float64))
        played = np.tensordot(MotionFit(mean, model).express(face), model.expression, 1) * eye_distance(face)
        return replace(mean, face=face, neutral=face - played)


def rest_pose(rest: RestPose, width_px: int, height_px: int) -> Pose:
    """A profile's rest pose in a picture of this size."""
    x, y = rest.place
    place = np.array([width_px / 2 + x * height_px, height_px / 2 + y * height_px, 0.0])
    return Pose(rest.scale * height_px, cv2.Rodrigues(np.array(rest.rotation))[0], place)


class MotionFit:
    """Expression and head pose of one person, by least squares on the face model's shapes."""

    def __init__(self, zero: Zero, model: FaceModel) -> None:
        self._model, self._zero = model, zero
        self._pose, self._neutral = zero.pose, zero.neutral
        self._size = eye_distance(zero.face)
        self._lid_follow = [lid_follow(model, eye) for eye in EYES]
        self._pivot, self._unit = self._pivot_of(self._pose), self._pose.scale * self._size
        self._fitted = [i for name, i in INDEX.items() if not name.startswith(_DIRECT) and name not in _FIXED]
        self._points = _fitted_points()
        shapes = model.expression[self._fitted][:, self._points].reshape(len(self._fitted), -1).astype(np.float64)
        self._weighted = shapes * _weights(model)[self._points].ravel()
        self._normal = self._weighted @ shapes.T + _RIDGE * np.eye(len(self._fitted))
        self._inverse = np.linalg.inv(self._normal)

    def head(self, landmarks: Landmarks) -> Head:
        """Where the head is: rotation and translation, as in `Motion`."""
        pose = fit_pose(landmarks, self._zero.face)
        aside = (self._pivot_of(pose) - self._pivot)[:2] / self._unit
        away = CAMERA_DISTANCE * (self._pose.scale / pose.scale - 1)
        return np.concatenate([cv2.Rodrigues(pose.rotation @ self._pose.rotation.T)[0].ravel(), aside, [away]])

    def moved(self, head: Head, similarity: Float[np.ndarray, "2 3"]) -> Head:
        """`head` after a movement in the picture (pixels before -> pixels after): it rolls, shifts, comes nearer."""
        pivot = self._pivot[:2] + head[3:5] * self._unit
        shift = similarity[:, :2] @ pivot + similarity[:, 2] - pivot
        roll = float(np.arctan2(similarity[1, 0], similarity[0, 0]))
        growth = float(np.hypot(similarity[0, 0], similarity[1, 0]))
        return head + [0, 0, roll, *(shift / self._unit), -(CAMERA_DISTANCE + head[5]) * (growth - 1)]

    def measure(self, landmarks: Landmarks, head: Head) -> Measured:
        """The face without the movement of `head`; what `head` does not tell of the landmarks' pose stays in it."""
        scale = self._pose.scale * CAMERA_DISTANCE / max(CAMERA_DISTANCE + head[5], 1.0)
        rotation = cv2.Rodrigues(head[:3])[0] @ self._pose.rotation
        pivot = self._pivot + [*(head[3:5] * self._unit), 0.0]
        pose = Pose(scale, rotation, pivot - scale * rotation @ NECK_PIVOT)
        points = landmarks.astype(np.float64)
        points[:, 2] += pivot[2] - self._pivot_of(fit_pose(landmarks, self._zero.face))[2]
        return Measured(rotation=head[:3], translation=head[3:], face=pose.to_canonical(points))

    def motion(self, measured: Measured, pts_ns: int, confidence: float = 1.0) -> Motion:
        """The motion that takes the neutral face to what was measured.

        Without gains, coefficients and surface add up to the tracked face. Gains scale the coefficients alone: the
        surface stays what the unscaled fit left over, so that a gain adds (gain - 1) times the shape and nothing else.
        """
        fitted = self.express(measured.face)
        expression = np.clip(fitted * self._zero.gains, *_BOUNDS)
        return Motion(
            pts_ns=pts_ns,
            expression=expression,
            rotation=measured.rotation.astype(np.float32),
            translation=measured.translation.astype(np.float32),
            confidence=confidence,
            surface=self._rest_of(measured.face, fitted).astype(np.float32),
        )

    @staticmethod
    def _pivot_of(pose: Pose) -> Float[np.ndarray, "3"]:
        return np.asarray(pose.to_picture(NECK_PIVOT[None])[0])

    def _rest_of(self, face: Landmarks, expression: Float32[np.ndarray, "64"]) -> Landmarks:
        """What the coefficients do not explain, in eye distances."""
        explained = np.tensordot(expression, self._model.expression, 1)
        return (face - self._neutral) / self._size - explained

    def express(self, face: Landmarks) -> Float32[np.ndarray, "64"]:
        """Coefficients of a canonical face, before gains."""
        out = np.zeros(len(INDEX), np.float32)
        out[INDEX["mouthNeutral"]] = 1.0
        self._look(out, face)
        self._blink(out, face)
        residual = self._rest_of(face, out)[self._points]
        right_side = self._weighted @ residual.ravel()
        free = self._inverse @ right_side
        out[self._fitted] = bounded_solution(self._normal, right_side, *_BOUNDS, free, _MOST_SWEEPS, _EXACT)
        # Again, now that it is known how far the eye has moved and how much of the lids' gap is squint.
        self._look(out, face)
        self._blink(out, face)
        return out

    def _blink(self, out: Float32[np.ndarray, "64"], face: Landmarks) -> None:
        """What gaze and squint leave of each eye's opening becomes blink or wide."""
        for eye, follow, closed, rest in zip(EYES, self._lid_follow, self._zero.closed, self._zero.opened, strict=True):
            opening = (eye.openness(face) - closed) / (rest - closed)
            opening /= max(0.3, 1.0 + float(follow @ out))
            opening /= 1.0 - _GAZE_NARROWS * min(float(out[INDEX[f"eyeLookOut{eye.side}"]]), 1.2)
            blink, wide = blink_and_wide(float(np.clip(opening, 0, 1.7)))
            out[INDEX[f"eyeBlink{eye.side}"]], out[INDEX[f"eyeWide{eye.side}"]] = blink, wide

    def _look(self, out: Float32[np.ndarray, "64"], face: Landmarks) -> None:
        """What the other coefficients leave of each iris's shift becomes gaze; each counts in its own direction."""
        for eye in EYES:
            looks = [INDEX[f"eyeLook{direction}{eye.side}"] for direction in ("In", "Out", "Up", "Down")]
            out[looks] = 0.0
            iris = int(eye.iris[0])
            shift = self._rest_of(face, out)[iris]
            for index, axis in zip(looks, (0, 0, 1, 1), strict=True):
                out[index] = np.clip(shift[axis] / float(self._model.expression[index, iris, axis]), 0.0, 1.5)


def _fitted_points() -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The face surface without the lids, which blinks own, and without what no expression moves."""
    lids = np.concatenate([eye.closed for eye in EYES])
    return np.setdiff1d(np.arange(SURFACE_COUNT), np.concatenate([lids, SKULL_OVAL]))


def _weights(model: FaceModel) -> Float[np.ndarray, "478 3"]:
    """How much each coordinate of each point counts."""
    lips = model.mean[np.concatenate([INNER_LIPS, OUTER_LIPS])]
    distance = np.linalg.norm(model.mean[:, None] - lips[None], axis=2).min(1)
    weight = 1 + (_LIPS_WEIGHT - 1) * np.exp(-((distance / _LIPS_REACH) ** 2))
    return np.asarray(weight[:, None] * [1, 1, _DEPTH_WEIGHT])


def _opened(face: Landmarks) -> tuple[float, float]:
    right, left = (max(eye.openness(face), _CLOSED + 0.08) for eye in EYES)
    return right, left
