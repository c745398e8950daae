"""The engine of Real3D-Portrait: the released networks, on a GPU or, slowly, on the CPU."""

from contextlib import ExitStack

from models.face import load_face_model
from models.motion import Motion
from models.portrait import Pixels, Portrait
from models.real3d.avatar import Real3dAvatar
from models.real3d.executor import Executor
from models.real3d.face import load_real3d_face
from models.real3d.needs import SEGMENTER
from models.real3d.parting import BuiltinSegmenter
from models.real3d.segmentation import MulticlassSegmenter, Segmenter
from models.weights import Weights


class Real3dEngine:
    """Engine[Real3dAvatar]: its avatars hold a device and stay in the process that prepared them."""

    name = "real3d"
    portable = False

    def __init__(self, weights: Weights, executor: Executor) -> None:
        """`weights`: of `models.weights.find`; `executor`: what runs the networks."""
        self._executor = executor
        self._face, self._own = load_real3d_face(weights.folder), load_face_model()
        with ExitStack() as opened:
            path = weights.file(SEGMENTER)
            segmenter: Segmenter = BuiltinSegmenter()
            if path is not None:
                segmenter = opened.enter_context(MulticlassSegmenter(path))
            self._segmenter, self._opened = segmenter, opened.pop_all()

    @property
    def backend(self) -> str:
        """What executes it, as in the report."""
        return self._executor.name

    def prepare(self, portrait: Portrait) -> Real3dAvatar:
        """Parts the portrait and runs the networks that see it alone; draws it once, so that the first frame is ready.

        Raises InputError: the portrait has no background.
        """
        avatar = Real3dAvatar(portrait, self._face, self._own, self._segmenter, self._executor.prepare)
        self.render(avatar, Motion(0))
        return avatar

    def render(self, avatar: Real3dAvatar, motion: Motion) -> Pixels:
        """The picture, a new array."""
        return avatar.render(motion, self._executor.frame)

    def close(self) -> None:
        """Frees the networks. May be called twice."""
        self._opened.close()
        self._executor.close()
