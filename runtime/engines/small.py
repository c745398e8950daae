"""The engine of the small model: networks of our own, whose weights come with the package."""

from collections.abc import Callable

from models.backends.executor import Executor
from models.backends.state_store import StateStore
from models.face import load_face_model
from models.portrait import Portrait
from models.small.avatar import Preparation, SmallAvatar
from models.small.drive import Drive
from models.small.portrait_state import PortraitParts, PortraitState
from runtime.engines.networks import NetworkEngine


class SmallEngine(NetworkEngine[PortraitParts, PortraitState, Drive, SmallAvatar]):
    """Engine[SmallAvatar]."""

    name = "small"

    def __init__(
        self,
        executor: Executor[PortraitParts, PortraitState, Drive],
        say: Callable[[str], None],
        states: StateStore[PortraitState] | None = None,
    ) -> None:
        """See `NetworkEngine`."""
        super().__init__(executor, say, states)
        self._model = load_face_model()

    def _avatar(self, portrait: Portrait, prepare: Preparation) -> SmallAvatar:
        return SmallAvatar(portrait, self._model, prepare)
