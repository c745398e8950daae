"""A portrait made movable, and its drawing."""

import cv2
import numpy as np
from jaxtyping import Bool, Float

from models.builtin.backdrop import Backdrop
from models.builtin.eyes import build_eyes
from models.builtin.kernels import backward_map, over, soften_outlines, unpremultiply
from models.builtin.mouth import Mouth
from models.builtin.puppet import Puppet, Shape
from models.builtin.relief import Relief
from models.builtin.slopes import with_gentle_slopes
from models.builtin.surround import build_surround
from models.face import FaceModel
from models.motion import Motion
from models.portrait import Pixels, Portrait
from models.pose import fit_pose
from models.topology import FACE_OVAL, SURFACE_COUNT


class BuiltinAvatar:
    """Everything of a portrait that does not change from frame to frame, and scratch memory. Not thread-safe."""

    def __init__(self, portrait: Portrait, model: FaceModel) -> None:
        scale, margin = portrait.person_scale, portrait.person_margin
        surface = with_gentle_slopes(portrait.landmarks)
        surround = build_surround(surface, portrait.person[::scale, ::scale, 3] > 0, margin)
        height, width = portrait.matte.shape
        rest_pose = fit_pose(portrait.landmarks, model.mean)
        self._puppet = Puppet(surface, rest_pose, (width, height), surround, model)
        # Pixel centres: a pixel x of the picture covers [x + margin, x + margin + 1) * scale of the texture.
        uv = (self._puppet.rest_vertices[:, :2] + margin + 0.5) * scale - 0.5
        self._uv = np.ascontiguousarray(uv, np.float32)
        self._relief = Relief(self._uv[:SURFACE_COUNT], self._puppet, model)
        self._mouth = Mouth(portrait.image, portrait.landmarks, self._puppet)
        self._eyes = build_eyes(portrait.image, portrait.landmarks, self._puppet)
        self._triangles = np.ascontiguousarray(
            # Skin before the strips between lips and lids: where they meet, skin is seen.
            np.vstack([model.triangles, surround.triangles, model.mouth_strip, model.eye_strips]),
            np.int32,
        )
        self._texture = portrait.person
        self._backdrop = None if portrait.background is None else Backdrop(portrait, portrait.background)
        # A step in depth between neighbouring pixels that no smooth part of a face of this size makes.
        self._outline_step = float(np.clip(0.05 * self._puppet.rest_pose.scale, 2.0, 6.0))
        self._layer = np.empty((height, width, 4), np.uint8)
        self._whole, self._parts = np.empty((height, width, 2), np.int16), np.zeros((height, width), np.uint16)
        self._depth = np.empty((height, width), np.float32)

    def render(self, motion: Motion) -> Pixels:
        """The portrait under `motion`, a new array: RGB, or RGBA without a background. At rest it is the photo."""
        shape = self._puppet.shape(motion)
        self._rasterise(shape)
        self._layer.fill(0)  # "transparent" leaves what no triangle covered as it is, and is the fastest border
        cv2.remap(
            self._texture,
            self._whole,
            self._parts,
            cv2.INTER_LINEAR,
            dst=self._layer,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        self._relief.apply(self._layer, self._whole, self._parts, shape)
        soften_outlines(self._layer, self._depth, self._outline_step)
        if self._backdrop is None:
            out = np.empty_like(self._layer)
            unpremultiply(self._layer, out)
        else:
            behind = self._backdrop.behind(self._puppet.crown_shift(shape), self._puppet.torso_shift(shape))
            out = np.empty_like(behind)
            over(self._layer, behind, out)
        for eye in self._eyes:
            eye.draw(out[..., :3], shape)
        self._mouth.draw(out[..., :3], shape, motion.mouth)
        return out

    def coverage(self, motion: Motion) -> Bool[np.ndarray, "h w"]:
        """Where the mesh lies under `motion`, for measurements."""
        self._rasterise(self._puppet.shape(motion))
        return self._whole[..., 0] >= 0

    def face_outline(self, motion: Motion) -> Float[np.ndarray, "36 2"]:
        """Where the face's outline lies under `motion`, in pixels, for measurements."""
        return self._puppet.shape(motion).vertices[FACE_OVAL, :2]

    def _rasterise(self, shape: Shape) -> None:
        backward_map(
            np.ascontiguousarray(shape.vertices[:, :2], np.float32),
            np.ascontiguousarray(shape.vertices[:, 2], np.float32),
            self._uv,
            self._triangles,
            self._texture.shape[1],
            self._texture.shape[0],
            self._whole,
            self._parts,
            self._depth,
        )
