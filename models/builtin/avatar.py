"""A portrait made movable, and its drawing."""

import cv2
import numpy as np
from jaxtyping import Bool, Float

from models.builtin.backdrop import Backdrop
from models.builtin.body import build_body
from models.builtin.eyes import build_eyes
from models.builtin.kernels import over, unpremultiply
from models.builtin.mouth import Mouth
from models.builtin.part import Part
from models.builtin.person import Person
from models.builtin.puppet import Shape
from models.builtin.relief import Relief
from models.face import FaceModel
from models.motion import Motion, MouthPatch
from models.portrait import Pixels, Portrait
from models.topology import SURFACE_COUNT

COARSENESS = (1, 2, 3)
"""Level -> pixels of the picture, across and down, that the person is drawn with one of; background, eyes and mouth
stay as fine as the picture."""


class BuiltinAvatar:
    """Everything of a portrait that does not change from frame to frame, and scratch memory. Not thread-safe."""

    def __init__(self, portrait: Portrait, model: FaceModel) -> None:
        scale, margin = portrait.person_scale, portrait.person_margin
        body = self.body = build_body(portrait, model)
        height, width = portrait.matte.shape
        self._puppet, uv = body.puppet, body.uv
        self._relief = Relief(np.ascontiguousarray(uv[:SURFACE_COUNT], np.float32), self._puppet, model)
        self._mouth = Mouth(portrait.image, portrait.landmarks, self._puppet)
        self._eyes = build_eyes(portrait.image, portrait.landmarks, self._puppet)
        self._meshes, triangles = (body.skin, body.surround, body.strips), body.triangles
        self._backdrop = None if portrait.background is None else Backdrop(portrait, portrait.background)
        # A step in depth between neighbouring pixels that no smooth part of a face of this size makes.
        step = float(np.clip(0.05 * self._puppet.rest_pose.scale, 2.0, 6.0))
        self._sheet, self._scale, self._margin = portrait.person, scale, margin
        self._persons = [
            Person(portrait.person, uv, triangles, (width, height), step, coarseness) for coarseness in COARSENESS
        ]

    def render(self, motion: Motion, level: int = 0) -> Pixels:
        """The portrait under `motion`, a new array: RGB, or RGBA without a background.

        At level 0 and at rest it is the photo; higher levels, below `len(COARSENESS)`, take less time.
        """
        return self.draw(self._puppet.shape(motion), motion.mouth, level)

    def draw(self, shape: Shape, mouth: MouthPatch | None = None, level: int = 0) -> Pixels:
        """The same of a shape of the portrait's puppet; `mouth`: the driver's, shown between the lips."""
        layer = self._persons[level].draw(shape, self._relief)
        if self._backdrop is None:
            out = np.empty_like(layer)
            unpremultiply(layer, out)
        else:
            behind = self._backdrop.behind(self._puppet.crown_shift(shape), self._puppet.torso_shift(shape))
            out = np.empty_like(behind)
            over(layer, behind, out)
        for eye in self._eyes:
            eye.draw(out[..., :3], shape)
        self._mouth.draw(out[..., :3], shape, mouth)
        return out

    def for_player(self) -> dict[str, Part]:
        """All that draws it elsewhere, by name; without background there is no "backdrop"."""
        height, width = (side // self._scale for side in self._sheet.shape[:2])
        sheet = cv2.resize(self._sheet, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        colours = sheet[..., :3] * (255 / np.maximum(sheet[..., 3:], 1))
        right_eye, left_eye = (eye.for_player() for eye in self._eyes)
        mesh = dict(zip(("skin", "surround", "strips"), self._meshes, strict=True))
        parts = {
            "puppet": self._puppet.for_player(),
            "person": Part({"margin": self._margin}, mesh, {"sheet": np.dstack([colours, sheet[..., 3] / 255])}),
            "relief": self._relief.for_player(),
            "right_eye": right_eye,
            "left_eye": left_eye,
            "mouth": self._mouth.for_player(),
        }
        return parts if self._backdrop is None else parts | {"backdrop": self._backdrop.for_player()}

    def coverage(self, motion: Motion) -> Bool[np.ndarray, "h w"]:
        """Where the mesh lies under `motion`, for measurements."""
        return self._persons[0].coverage(self._puppet.shape(motion))

    def landmarks(self, motion: Motion) -> Float[np.ndarray, "468 3"]:
        """Where the points of the face's surface lie under `motion`, in pixels."""
        return self._puppet.shape(motion).vertices[:SURFACE_COUNT]
