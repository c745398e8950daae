"""Motion -> where every vertex goes: expression on the portrait's own face, lids, lips, and the pose of the head."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int

from models.builtin.constants import BACKDROP, HEAD, LIPS, MOUTH
from models.builtin.part import Part
from models.builtin.surround import Surround
from models.ease import smoothstep
from models.expression import EYES, close_mouth, eye_distance, eye_opening, lid_follow, part_lips
from models.face import FaceModel
from models.motion import CAMERA_DISTANCE, INDEX, Motion
from models.pose import NECK_PIVOT, Pose
from models.topology import CHIN, FACE_OVAL, FOREHEAD_TOP, LOWER_LIP, SKULL_OVAL, SURFACE_COUNT

Canonical = Float[np.ndarray, "478 3"]

# A portrait in three-quarter view turns less to the side that it hides, by how far it is from frontal.
_FRONTAL, _LEAST_TURN = np.deg2rad(8.0), np.deg2rad(6.0)
_MOST_SURFACE = 0.15  # eye distances
_BEYOND_EDGE, _LEAST_ROOM = 0.1, 0.3  # eye distances
_CORNERS = np.array(LIPS.corners)
_GRIN_REACH = 0.18  # eye distances
_WITHOUT_SMILE = {"mouthNeutral": 0.4, "mouthPucker": 0.4, "mouthFunnel": 0.2}  # how much of it each takes away
_SKULL_REACH = 0.1  # eye distances from the skull's outline over which expression sets in


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
        self,
        landmarks: Float32[np.ndarray, "478 3"],
        rest_pose: Pose,
        picture: tuple[int, int],
        surround: Surround,
        model: FaceModel,
    ) -> None:
        """`picture`: its width and height, in which the face is to stay."""
        self.rest_pose = rest_pose
        self.rest = self.rest_pose.to_canonical(landmarks.astype(np.float64))
        self.rest_vertices = np.vstack([landmarks[:SURFACE_COUNT].astype(np.float64), surround.points])
        self.eye_distance = eye_distance(self.rest)
        self._landmarks, self._surround = landmarks, surround
        self._on_torso = SURFACE_COUNT + int(surround.head_weight.argmin())
        self._skull = 1 - smoothstep(0.0, _SKULL_REACH, _distance(model.mean, model.mean[SKULL_OVAL]))[:, None]
        self._basis = self._fit_basis(model)
        self._lid_follow = [lid_follow(model, eye) for eye in EYES]
        self.closed = close_mouth(self.rest, model)
        """The portrait's face with its lips together."""
        self._basis[INDEX["mouthNeutral"]] = self.closed - self.rest
        self._drop_smile(model)
        self._rest_yaw = float(cv2.Rodrigues(self.rest_pose.rotation)[0][1, 0])
        hidden = max(0.0, abs(self._rest_yaw) - _FRONTAL)
        self._hidden_knee = max(_LEAST_TURN, HEAD.turn[0] - 1.8 * hidden)
        self._rest_mouth = self._width(self.rest)
        right, left = (np.exp(-((_distance(model.mean, model.mean[[c]]) / _GRIN_REACH) ** 2)) for c in _CORNERS)
        self._grin = right - left
        face, unit = landmarks[:SURFACE_COUNT, :2], self.rest_pose.scale * self.eye_distance
        room = np.stack([face.min(0), np.array(picture) - face.max(0)]) / unit
        self._room = np.maximum(room + _BEYOND_EDGE, _LEAST_ROOM)
        """Eye distances by which the face may go: left and up, right and down."""
        self._pivot = self.rest_pose.to_picture(NECK_PIVOT[None])[0]

    def _fit_basis(self, model: FaceModel) -> Float[np.ndarray, "64 478 3"]:
        """The model's shapes at this face's size; blinks are scaled to its own eye opening."""
        basis = model.expression.astype(np.float64) * self.eye_distance
        for eye in EYES:
            basis[INDEX[f"eyeBlink{eye.side}"]] *= eye.gap(self.rest) / (eye.gap(model.mean) * self.eye_distance)
        return basis

    def _drop_smile(self, model: FaceModel) -> None:
        """A smile of the portrait goes as the mouth becomes neutral or rounded, or it could never say o or u."""
        smile = model.expression[[INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]].sum(0).astype(np.float64)
        wider, neutral = (float(face[_CORNERS[1], 0] - face[_CORNERS[0], 0]) for face in (smile, model.mean))
        smiles = float(np.clip((self._width(self.rest) - neutral) / wider, 0.0, 1.0))
        for name, share in _WITHOUT_SMILE.items():
            self._basis[INDEX[name]] -= share * smiles * self.eye_distance * smile

    def _width(self, canonical: Canonical) -> float:
        """Of the inner lips, in eye distances."""
        return float(np.linalg.norm(canonical[_CORNERS[1]] - canonical[_CORNERS[0]])) / self.eye_distance

    def shape(self, motion: Motion) -> Shape:
        """Where everything is under `motion`; at rest (all zeros) exactly where the portrait has it."""
        canonical = self._express(np.clip(motion.expression, *HEAD.expression), motion.surface)
        pose, linear = self._pose(motion)
        torso = HEAD.torso_gain * motion.translation[:2] if motion.torso is None else motion.torso
        out = np.empty_like(self.rest_vertices)
        out[:SURFACE_COUNT] = pose.to_picture(canonical[:SURFACE_COUNT])
        out[SURFACE_COUNT:] = self._move_surround(canonical, pose, linear, self._aside(torso))
        return Shape(canonical, out, linear, pose)

    def for_player(self) -> Part:
        """What moves the portrait elsewhere."""
        pose, jaw = self.rest_pose, [*MOUTH.jaw_points, LOWER_LIP[5]]
        return Part(
            numbers={
                "scale": pose.scale,
                "rotation": pose.rotation,
                "translation": pose.translation,
                "pivot": self._pivot,
                "rest_yaw": self._rest_yaw,
                "hidden_knee": self._hidden_knee,
                "room": self._room,
                "lid_follow": np.stack(self._lid_follow),
                "closed_jaw": self.closed[jaw],
                "on_torso": self._on_torso - SURFACE_COUNT,
            },
            arrays={
                "landmarks": self._landmarks,
                "grid": self._surround.points,
                "steadier": self._surround.steadier,
                "head_weight": self._surround.head_weight,
                "outline_weights": self._surround.outline_weights,
                "basis": self._basis,
                "skull": self._skull[:, 0],
                "grin": self._grin,
            },
        )

    def crown_shift(self, shape: Shape) -> float:
        """Pixels by which the crown of the head has moved from where the portrait has it."""
        top, chin = self.rest_vertices[[FOREHEAD_TOP, CHIN]]
        crown = top + BACKDROP.crown * (top - chin)
        moved = shape.linear @ (crown - self.rest_pose.translation) + shape.pose.translation - crown
        return float(np.linalg.norm(moved[:2]))

    def torso_shift(self, shape: Shape) -> float:
        """Pixels by which the torso has moved from where the portrait has it."""
        return float(np.linalg.norm(self.torso_moved(shape)))

    def torso_moved(self, shape: Shape) -> Float[np.ndarray, "2"]:
        """Pixels by which the torso has moved, across and down."""
        return np.asarray(shape.vertices[self._on_torso, :2] - self.rest_vertices[self._on_torso, :2])

    def unturned(self, shape: Shape) -> Float[np.ndarray, "n 3"]:
        """Where the vertices would be if the head kept still: moved by the expression and with the torso. Pixels."""
        parts = np.arange(SURFACE_COUNT), FACE_OVAL
        face, outline = (self._moved(shape.canonical, shape.pose, points) for points in parts)
        out = self.rest_vertices + np.vstack([face, self._surround.outline_weights @ outline])
        out[:, :2] += self.torso_moved(shape)
        return out

    def near(self, shape: Shape, indices: Int[np.ndarray, "k"]) -> Float[np.ndarray, "2 3"]:
        """Portrait pixels -> picture pixels around some face points: the head's turn, put where they are now."""
        linear = shape.linear[:2, :2]
        offset = shape.vertices[indices, :2].mean(0) - linear @ self.rest_vertices[indices, :2].mean(0)
        return np.hstack([linear, offset[:, None]])

    def _express(
        self, coefficients: Float32[np.ndarray, "64"], surface: Float32[np.ndarray, "478 3"] | None
    ) -> Canonical:
        canonical = self.rest + np.tensordot(coefficients.astype(np.float64), self._basis, 1)
        if surface is not None:
            canonical = canonical + np.clip(surface, -_MOST_SURFACE, _MOST_SURFACE) * self.eye_distance
        for eye, follow in zip(EYES, self._lid_follow, strict=True):
            blink, wide = (float(coefficients[INDEX[f"eye{name}{eye.side}"]]) for name in ("Blink", "Wide"))
            opening = eye_opening(blink, wide) * max(0.0, 1.0 + float(follow @ coefficients))
            upper, lower = eye.upper[1:-1], eye.lower[1:-1]
            canonical[upper] = canonical[lower] + (self.rest[upper] - self.rest[lower]) * opening
        on_skull = canonical + self._skull * (self.rest - canonical)
        return part_lips(self._bound_grin(on_skull))

    def _bound_grin(self, canonical: Canonical) -> Canonical:
        """A mouth that a smile of the portrait and one of the driver together would draw too wide is held in."""
        across, width = canonical[_CORNERS[1]] - canonical[_CORNERS[0]], self._width(canonical)
        knee = max(LIPS.grin_knee, self._rest_mouth)
        if width <= knee:
            return canonical
        excess = width - float(_limit(np.array([width]), knee, knee + LIPS.grin_room)[0])
        return canonical + self._grin[..., None] * across * (0.5 * excess / width)

    def _pose(self, motion: Motion) -> tuple[Pose, Float[np.ndarray, "3 3"]]:
        rotation_vector = motion.rotation.astype(np.float64)
        if rotation_vector[1] * self._rest_yaw < 0:  # towards the side that the photo hides
            rotation_vector[1:2] = _limit(rotation_vector[1:2], self._hidden_knee, self._hidden_knee + HEAD.hidden_room)
        turn = cv2.Rodrigues(_limit(rotation_vector, *HEAD.turn))[0]
        shift = motion.translation.astype(np.float64)
        zoom = float(np.clip(CAMERA_DISTANCE / max(CAMERA_DISTANCE + shift[2], 1.0), *HEAD.zoom))
        rotation, scale = turn @ self.rest_pose.rotation, self.rest_pose.scale * zoom
        pivot = self._pivot + [*self._aside(motion.translation[:2]), 0.0]
        return Pose(scale, rotation, pivot - scale * rotation @ NECK_PIVOT), zoom * turn

    def _aside(self, shift: Float32[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
        """A shift as in `Motion`, in pixels and within bounds."""
        bounded = _limit(shift.astype(np.float64), *HEAD.shift)
        for axis in range(2):  # the face stays within the picture
            room = float(self._room[int(bounded[axis] > 0), axis])
            bounded[axis : axis + 1] = _limit(bounded[axis : axis + 1], HEAD.room_knee * room, room)
        return bounded * (self.rest_pose.scale * self.eye_distance)

    def _move_surround(
        self, canonical: Canonical, pose: Pose, linear: Float[np.ndarray, "3 3"], torso: Float[np.ndarray, "2"]
    ) -> Float[np.ndarray, "g 3"]:
        rest = self._surround.points
        turned = float(np.arccos(np.clip(linear[2, 2] / np.linalg.norm(linear[2]), -1.0, 1.0)))
        steadier = (1 - smoothstep(*HEAD.steadying_turns, turned)) * self._surround.steadier
        rigid = (rest - self.rest_pose.translation) @ linear.T + pose.translation
        rigid[:, :2] += steadier[:, None] * linear[:2, 2]  # it stays where it is in front of other things
        weight = self._surround.head_weight[:, None]
        moved = rest + weight * (rigid - rest) + (1 - weight) * [*torso, 0.0]
        return moved + self._surround.outline_weights @ self._moved(canonical, pose, FACE_OVAL)

    def _moved(self, canonical: Canonical, pose: Pose, points: Int[np.ndarray, "k"]) -> Float[np.ndarray, "k 3"]:
        """How far the expression moves points of the face under a pose, in pixels."""
        return np.asarray((canonical[points] - self.rest[points]) @ pose.rotation.T * pose.scale)


def _distance(points: Canonical, to: Float[np.ndarray, "k 3"]) -> Float[np.ndarray, "478"]:
    """Of each point from the nearest of `to`, in the frontal picture."""
    return np.asarray(np.linalg.norm(points[:, None, :2] - to[None, :, :2], axis=2).min(1).astype(np.float64))


def _limit(v: Float[np.ndarray, "n"], knee: float, limit: float) -> Float[np.ndarray, "n"]:
    """`v` unchanged up to length `knee`, then bent softly so that it stays under `limit`."""
    length = float(np.linalg.norm(v))
    if length <= knee:
        return v
    room = limit - knee
    return v * ((knee + room * np.tanh((length - knee) / room)) / length)
