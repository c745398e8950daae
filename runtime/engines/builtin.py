"""The built-in engine: the CPU avatar of `models.builtin`."""

import numpy as np

from models.builtin.avatar import COARSENESS, BuiltinAvatar
from models.face import load_face_model
from models.motion import Motion, expression
from models.portrait import Pixels, Portrait

_MOVED = Motion(0, expression(jawOpen=0.6, mouthSmileLeft=0.8, mouthSmileRight=0.8), np.array([0, 0.2, 0], np.float32))


class BuiltinEngine:
    """Engine[BuiltinAvatar]: one CPU thread, no GPU, no download."""

    name = "builtin"
    backend = "cpu"
    portable = True
    levels = len(COARSENESS)

    def prepare(self, portrait: Portrait) -> BuiltinAvatar:
        """Builds the avatar and draws it once in motion, so that all kernels are loaded before the first frame."""
        avatar = BuiltinAvatar(portrait, load_face_model())
        avatar.render(_MOVED)
        return avatar

    def render(self, avatar: BuiltinAvatar, motion: Motion, level: int = 0) -> Pixels:
        """The picture, a new array."""
        return avatar.render(motion, level)

    def close(self) -> None:
        """Nothing is held outside the avatars."""
