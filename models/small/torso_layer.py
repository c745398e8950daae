"""What the head leaves of a person: neck and shoulders, continued to where the head hides them, and in motion."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from models.builtin.body import Body
from models.builtin.puppet import Shape
from models.portrait import Portrait
from models.raster import rasterise
from models.topology import CHIN, FACE_OVAL, FOREHEAD_TOP

Layer = UInt8[np.ndarray, "h w 4"]
"""RGB multiplied by alpha, and alpha."""

_HEAD = 0.97
"""Head weight up to which a pixel outside the face shows the torso itself."""
_UP, _WITHIN = 0.22, 0.1
"""Face heights by which the torso goes on upwards below the face, and by which it is narrower there."""
_SEAM = 0.04
_REACH = 0.12
"""Face heights over which its colours are carried on."""
_COARSE = 4
"""Pixels of the picture, across and down, for which it is worked out once where they come from."""


class Torso:
    """A portrait's torso, which the shoulders shift and the jaw draws along. Not thread-safe."""

    def __init__(self, portrait: Portrait, body: Body) -> None:
        self._body, self._size = body, (portrait.image.shape[1], portrait.image.shape[0])
        high, wide = (side // portrait.person_scale for side in portrait.person.shape[:2])
        self._layer = cv2.resize(torso_layer(portrait.person, body), (wide, high), interpolation=cv2.INTER_AREA)
        here = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in self._size))
        self._here = np.dstack(here) + np.float32(portrait.person_margin)

    def draw(self, shape: Shape) -> Layer:
        """At the picture's size."""
        puppet, (width, height) = self._body.puppet, self._size
        vertices = puppet.unturned(shape)
        back = (puppet.rest_vertices - vertices)[:, :2].astype(np.float32)
        coarse = np.column_stack([(vertices[:, :2] + 0.5) / _COARSE - 0.5, vertices[:, 2]]).astype(np.float32)
        drawn = rasterise(coarse, self._body.triangles, back, (-(-width // _COARSE), -(-height // _COARSE)))
        moved = np.where(drawn.mask[..., None], drawn.image, -puppet.torso_moved(shape).astype(np.float32))
        field = cv2.resize(moved, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.remap(self._layer, self._here + field[:height, :width], None, cv2.INTER_LINEAR))


def torso_layer(person: Layer, body: Body) -> Layer:
    """The torso on a portrait's `person`, as large."""
    height, width = person.shape[:2]
    vertices = np.column_stack([body.uv, np.zeros(len(body.uv))]).astype(np.float32)
    weights = body.head_weight[:, None].astype(np.float32)
    drawn = rasterise(vertices, body.triangles, weights, (width, height))
    face = float(np.linalg.norm(body.uv[CHIN] - body.uv[FOREHEAD_TOP]))
    own = (drawn.mask & (drawn.image[..., 0] < _HEAD)).astype(np.uint8)
    alpha = person[..., 3:] / np.float32(255)
    colours = np.where(alpha > 0, person[..., :3] / np.maximum(alpha, 1 / 255), 0).astype(np.float32)
    known = alpha * own[..., None]
    spread, near = (cv2.GaussianBlur(x, (0, 0), _REACH * face) for x in (colours * known, known[..., 0]))
    filled = np.where(known > 0, colours, spread / np.maximum(near[..., None], 1e-4))
    shown = alpha * np.maximum(own, _below_face(own, body, face))[..., None]
    return np.clip(np.rint(np.dstack([filled * shown, 255 * shown])), 0, 255).astype(np.uint8)


def _below_face(own: UInt8[np.ndarray, "h w"], body: Body, face: float) -> Float32[np.ndarray, "h w"]:
    """Where the torso goes on: 0..1."""
    outline = np.zeros_like(own)
    cv2.fillPoly(outline, [np.rint(body.uv[FACE_OVAL]).astype(np.int32)], 1)
    seam = 2 * round(_SEAM * face) + 1
    outline = cv2.dilate(outline, np.ones((seam, seam), np.uint8))
    narrow = cv2.erode(outline, np.ones((1, 2 * round((_WITHIN + _SEAM) * face) + 1), np.uint8))
    under = cv2.dilate(own, np.ones((round(_UP * face) + 1, 1), np.uint8), anchor=(0, 0))
    return cv2.GaussianBlur((under & narrow).astype(np.float32), (0, 0), 0.02 * face)
