"""The engine of Real3D-Portrait: the released networks, on a GPU or, slowly, on the CPU."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from threading import RLock

from models.face import load_face_model
from models.motion import Motion, expression
from models.portrait import Pixels, Portrait
from models.real3d.avatar import Real3dAvatar
from models.real3d.drive import Drive
from models.real3d.executor import Executor, Picture
from models.real3d.face import Real3dFace
from models.real3d.needs import SEGMENTER
from models.real3d.parting import BuiltinSegmenter
from models.real3d.portrait_state import PortraitState
from models.real3d.segmentation import MulticlassSegmenter, Segmenter
from models.real3d.state_store import StateStore
from models.weights import Weights
from runtime.clock import MonotonicClock

_SLOW_S = 1 / 25
"""A picture that takes longer is told about: a call cannot keep up."""
_EYES_CLOSED = Motion(0, expression(eyeBlinkLeft=1, eyeBlinkRight=1))


class Real3dEngine:
    """Engine[Real3dAvatar]: its avatars hold a device and stay in the process that prepared them."""

    name = "real3d"
    portable = False

    def __init__(
        self,
        weights: Weights,
        face: Real3dFace,
        executor: Executor,
        say: Callable[[str], None],
        states: StateStore | None = None,
    ) -> None:
        """Opens the segmenter that the weights came with, else ours.

        Args:
            weights: of `models.weights.find`.
            face: the face model among them.
            executor: runs the networks.
            say: hears if that is slow.
            states: where portraits' states are kept for the next start.
        """
        self._executor, self._say, self._states, self._drawing = executor, say, states, RLock()
        self._face, self._own = face, load_face_model()
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

    @property
    def levels(self) -> int:
        """How many levels of quality it draws at; 0 is the best, each further one takes less time."""
        return self._executor.levels

    def prepare(self, portrait: Portrait) -> Real3dAvatar:
        """Parts the portrait and runs the networks that see it alone; draws it, so that all is loaded and compiled.

        May run while another thread renders, which then waits for single pictures.

        Raises InputError: the portrait has no background.
        """
        states, executor = self._states, self._executor
        prepare = executor.prepare if states is None else states.preparation(portrait, executor)
        avatar = Real3dAvatar(portrait, self._face, self._own, self._segmenter, prepare)
        self.render(avatar, _EYES_CLOSED)
        clock = MonotonicClock()
        with self._drawing:  # no other picture's time counts
            begun_ns = clock.now_ns()
            self.render(avatar, Motion(0))
            spent_s = (clock.now_ns() - begun_ns) / 1e9
        if spent_s > _SLOW_S:
            self._say(f"real3d takes {spent_s:.2g} s for a picture here ({self.backend}): enough for files, not for a "
                      "call; a call needs an NVIDIA GPU, or --engine builtin")  # fmt: skip
        return avatar

    def render(self, avatar: Real3dAvatar, motion: Motion, level: int = 0) -> Pixels:
        """The picture at a level below `levels`, a new array."""
        return avatar.render(motion, partial(self._frame, level=level))

    def _frame(self, state: PortraitState, drive: Drive, level: int) -> Picture:
        """The executor draws one picture at a time, for whichever thread."""
        with self._drawing:
            return self._executor.frame(state, drive, level)

    def close(self) -> None:
        """Frees the networks. May be called twice."""
        self._opened.close()
        self._executor.close()
