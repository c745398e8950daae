"""What the engines of papers share: networks on a device, avatars that stay in the process that prepared them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from threading import RLock
from typing import Generic, Protocol, TypeVar, runtime_checkable

from torch import Tensor

from models.backends.executor import Executor, Picture
from models.backends.paper import Parts
from models.backends.state_store import StateStore
from models.errors import AgentError
from models.motion import Motion, expression
from models.portrait import Pixels, Portrait
from runtime.clock import MonotonicClock
from runtime.faults import in_words

PartsT = TypeVar("PartsT", bound=Parts)
StateT = TypeVar("StateT", bound=tuple[Tensor, ...])
DriveT = TypeVar("DriveT", bound=tuple[Tensor, ...])

_SLOW_S = 1 / 25
"""A picture that takes longer is told about: a call cannot keep up."""
_HOPELESS_S = 0.4
"""A picture that takes less could take less than `_SLOW_S` on the same machine with nothing else to do."""
_EYES_CLOSED = Motion(0, expression(eyeBlinkLeft=1, eyeBlinkRight=1))


StateInT = TypeVar("StateInT", covariant=True)
DriveInT = TypeVar("DriveInT", covariant=True)


@runtime_checkable
class DrawnAvatar(Protocol[StateInT, DriveInT]):
    """An avatar whose pictures networks draw."""

    def render(self, motion: Motion, frame: Callable[[StateInT, DriveInT], Picture]) -> Pixels:
        """The picture at the portrait's size, a new array; `frame` runs the networks."""
        ...


AvatarT = TypeVar("AvatarT", bound=DrawnAvatar)


class NetworkEngine(ABC, Generic[PartsT, StateT, DriveT, AvatarT]):
    """Engine[AvatarT]: its avatars hold a device and stay in the process that prepared them."""

    name: str
    portable = False

    def __init__(
        self,
        executor: Executor[PartsT, StateT, DriveT],
        say: Callable[[str], None],
        states: StateStore[StateT] | None,
    ) -> None:
        """See the engines themselves.

        Args:
            executor: runs the networks.
            say: hears if that is slow.
            states: where portraits' states are kept for the next start.
        """
        self._executor, self._say, self._states, self._drawing = executor, say, states, RLock()

    @property
    def backend(self) -> str:
        """What executes it, as in the report."""
        return self._executor.name

    @property
    def levels(self) -> int:
        """How many levels of quality it draws at; 0 is the best, each further one takes less time."""
        return self._executor.levels

    def prepare(self, portrait: Portrait) -> AvatarT:
        """Runs the networks that see the portrait alone; draws it, so that all is loaded and compiled.

        May run while another thread renders, which then waits for single pictures.

        Raises InputError: the portrait has no background.
        """
        states, executor = self._states, self._executor
        avatar = self._avatar(portrait, executor.prepare if states is None else states.preparation(portrait, executor))
        self.render(avatar, _EYES_CLOSED)
        clock = MonotonicClock()
        with self._drawing:  # no other picture's time counts
            begun_ns = clock.now_ns()
            self.render(avatar, Motion(0))
            spent_s = (clock.now_ns() - begun_ns) / 1e9
        if spent_s > _SLOW_S:
            self._say(f"{self.name} takes {spent_s:.2g} s for a picture here ({self.backend}): {self._remedy(spent_s)}")
        return avatar

    def _remedy(self, spent_s: float) -> str:
        """What to do about a picture that takes so long."""
        if spent_s < _HOPELESS_S:
            return "too long for a call now; close what else keeps this machine busy, or give --engine builtin"
        return "enough for files, not for a call; a call needs an NVIDIA GPU, or --engine builtin"

    @abstractmethod
    def _avatar(self, portrait: Portrait, prepare: Callable[[PartsT], StateT]) -> AvatarT:
        """The portrait's avatar; `prepare` runs the networks on it."""

    def render(self, avatar: AvatarT, motion: Motion, level: int = 0) -> Pixels:
        """The picture at a level below `levels`, a new array.

        Raises AgentError: the networks fail, as where memory is short.
        """
        return avatar.render(motion, partial(self._frame, level=level))

    def _frame(self, state: StateT, drive: DriveT, level: int) -> Picture:
        """The executor draws one picture at a time, for whichever thread."""
        with self._drawing:
            try:
                return self._executor.frame(state, drive, level)
            except Exception as error:  # each runtime has kinds of its own
                raise AgentError(
                    f"the networks of {self.name} fail on {self.backend} ({in_words(error)}): "
                    "free memory, or give another --backend, or --engine builtin"
                ) from error

    def close(self) -> None:
        """Frees the networks. May be called twice."""
        with self._drawing:
            self._executor.close()
