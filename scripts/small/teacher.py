"""The teacher: the built-in engine, drawing what the small model is to draw."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from models.builtin.avatar import BuiltinAvatar
from models.ease import smoothstep
from models.expression import EYES
from models.face import FaceModel
from models.motion import Motion
from models.portrait import Portrait
from models.raster import rasterise
from models.small.frame_box import SIDE, box_of
from models.small.lifting import HEAD, Lifted, front_of, lift
from models.small.torso_layer import Torso
from models.squares import Square
from models.topology import FACE_OVAL, OUTER_LIPS

MASK_SIDE = 128
_FACE, _DETAIL = 85, 255
"""Weights of the face and, within it, of mouth and eyes."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One motion, drawn by the teacher in the networks' window."""

    frame: UInt8[np.ndarray, "256 256 4"]
    """The person, RGB multiplied by alpha, and alpha."""
    torso: UInt8[np.ndarray, "256 256 4"]
    """What is seen of it where no head is, likewise."""
    head: UInt8[np.ndarray, "128 128"]
    """Which part of it is head."""
    weight: UInt8[np.ndarray, "128 128"]
    canonical: Float32[np.ndarray, "478 3"]
    rotation: Float32[np.ndarray, "3 3"]


class Teacher:
    """A portrait without background, in motion."""

    def __init__(self, portrait: Portrait, model: FaceModel) -> None:
        self._avatar, self.box = BuiltinAvatar(portrait, model), box_of(model)
        self.body = self._avatar.body
        self.portrait = portrait
        self._torso = Torso(portrait, self.body)
        self._triangles = self.body.triangles
        self._weights = self.body.head_weight[:, None].astype(np.float32)

    def source(self) -> tuple[Lifted, Float32[np.ndarray, "478 3"]]:
        """The portrait as the networks are given it, and its face."""
        canonical = self.body.puppet.rest
        lifted = lift(self.portrait.person, self.body.uv, front_of(self.body, canonical, self.box), self.body)
        return lifted, canonical.astype(np.float32)

    def other_source(self, motion: Motion) -> tuple[Lifted, Float32[np.ndarray, "478 3"]]:
        """The same of a picture that the teacher drew, as if it were a photo."""
        shape = self.body.puppet.shape(motion)
        picture = premultiplied(self._avatar.draw(shape))
        front = front_of(self.body, shape.canonical, self.box)
        return lift(picture, shape.vertices[:, :2], front, self.body), shape.canonical.astype(np.float32)

    def shot(self, motion: Motion) -> Shot:
        """What the teacher draws."""
        shape = self.body.puppet.shape(motion)
        window = self.box.window(shape.pose)
        frame = cut(premultiplied(self._avatar.draw(shape)), window, SIDE)
        vertices, open_eyes = shape.vertices.copy(), shape.pose.to_picture(self.body.puppet.rest)
        for points in (vertices, open_eyes):
            points[:, :2] = (points[:, :2] + 0.5 - [window.left, window.top]) * (MASK_SIDE / window.side) - 0.5
        drawn = rasterise(vertices.astype(np.float32), self._triangles, self._weights, (MASK_SIDE, MASK_SIDE))
        alpha = cv2.resize(frame[..., 3], (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA)
        return Shot(
            frame=frame,
            torso=cut(self._torso.draw(shape), window, SIDE),
            head=np.rint(alpha * smoothstep(*HEAD, drawn.image[..., 0])).astype(np.uint8),
            weight=_weight(vertices, open_eyes),
            canonical=shape.canonical.astype(np.float32),
            rotation=shape.pose.rotation.astype(np.float32),
        )


def premultiplied(picture: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 4"]:
    """Of straight alpha."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGBA2mRGBA))


def cut(picture: UInt8[np.ndarray, "h w 4"], window: Square, side: int) -> UInt8[np.ndarray, "s s 4"]:
    """The window's part of a picture."""
    pixels = window.side / side
    way = np.array([[pixels, 0, window.left + pixels / 2 - 0.5], [0, pixels, window.top + pixels / 2 - 0.5]])
    return cv2.warpAffine(
        picture, way, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


def _weight(vertices: np.ndarray, open_eyes: np.ndarray) -> UInt8[np.ndarray, "128 128"]:
    out = np.zeros((MASK_SIDE, MASK_SIDE), np.uint8)
    _fill(out, vertices[FACE_OVAL, :2], _FACE)
    detail = np.zeros_like(out)
    _fill(detail, vertices[OUTER_LIPS, :2], _DETAIL)
    for eye in EYES:  # where a lid has come down, too
        _fill(detail, np.vstack([vertices[eye.closed, :2], open_eyes[eye.closed, :2]]), _DETAIL)
    return np.maximum(out, cv2.dilate(detail, np.ones((7, 7), np.uint8)))


def _fill(out: np.ndarray, points: np.ndarray, value: int) -> None:
    cv2.fillConvexPoly(out, cv2.convexHull(np.rint(points).astype(np.int32)), value)
