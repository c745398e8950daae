"""The engine of Real3D-Portrait: the released networks, on a GPU or, slowly, on the CPU."""

from collections.abc import Callable
from contextlib import ExitStack

from models.backends.executor import Executor
from models.backends.state_store import StateStore
from models.face import load_face_model
from models.portrait import Portrait
from models.real3d.avatar import Preparation, Real3dAvatar
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.needs import SEGMENTER
from models.real3d.parting import BuiltinSegmenter
from models.real3d.portrait_state import PortraitState
from models.real3d.segmentation import MulticlassSegmenter, Segmenter
from models.real3d.video_model import PortraitParts
from models.weights import Weights
from runtime.engines.networks import NetworkEngine


class Real3dEngine(NetworkEngine[PortraitParts, PortraitState, Drive, Real3dAvatar]):
    """Engine[Real3dAvatar]."""

    name = "real3d"

    def __init__(
        self,
        weights: Weights,
        face: Real3dFace,
        executor: Executor[PortraitParts, PortraitState, Drive],
        say: Callable[[str], None],
        states: StateStore[PortraitState] | None = None,
    ) -> None:
        """Opens the segmenter that the weights came with, else ours.

        Args:
            weights: of `models.weights.find`.
            face: the face model among them.
            executor: runs the networks.
            say: hears if that is slow.
            states: where portraits' states are kept for the next start.
        """
        super().__init__(executor, say, states)
        self._face, self._own = face, load_face_model()
        with ExitStack() as opened:
            path = weights.file(SEGMENTER)
            segmenter: Segmenter = BuiltinSegmenter()
            if path is not None:
                segmenter = opened.enter_context(MulticlassSegmenter(path))
            self._segmenter, self._opened = segmenter, opened.pop_all()

    def _avatar(self, portrait: Portrait, prepare: Preparation) -> Real3dAvatar:
        return Real3dAvatar(portrait, self._face, self._own, self._segmenter, prepare)

    def close(self) -> None:
        """Frees the networks and the segmenter. May be called twice."""
        self._opened.close()
        super().close()
