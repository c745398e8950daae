"""The built-in engine: the CPU avatar of `models.builtin`."""

from models.builtin.avatar import BuiltinAvatar
from models.face import load_face_model
from models.motion import Motion
from models.portrait import Pixels, Portrait


class BuiltinEngine:
    """Engine[BuiltinAvatar]: one CPU thread, no GPU, no download."""

    name = "builtin"
    backend = "cpu"
    portable = True

    def prepare(self, portrait: Portrait) -> BuiltinAvatar:
        """Builds the avatar and draws it once, so that compiled kernels are loaded before the first frame."""
        avatar = BuiltinAvatar(portrait, load_face_model())
        avatar.render(Motion(pts_ns=0))
        return avatar

    def render(self, avatar: BuiltinAvatar, motion: Motion) -> Pixels:
        """The picture, a new array."""
        return avatar.render(motion)

    def close(self) -> None:
        """Nothing is held outside the avatars."""
