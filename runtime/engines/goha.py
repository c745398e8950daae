"""The engine of GOHA: the released networks, on a GPU or, slowly, on the CPU."""

from collections.abc import Callable

from models.backends.executor import Executor
from models.backends.state_store import StateStore
from models.face import load_face_model
from models.goha.avatar import GohaAvatar, Preparation
from models.goha.drive import Drive
from models.goha.face import GohaFace
from models.goha.person_reader import PersonReader
from models.goha.portrait_state import PortraitParts, PortraitState
from models.portrait import Portrait
from runtime.engines.networks import NetworkEngine


class GohaEngine(NetworkEngine[PortraitParts, PortraitState, Drive, GohaAvatar]):
    """Engine[GohaAvatar]."""

    name = "goha"

    def __init__(
        self,
        face: GohaFace,
        read: PersonReader,
        executor: Executor[PortraitParts, PortraitState, Drive],
        say: Callable[[str], None],
        states: StateStore[PortraitState] | None = None,
    ) -> None:
        """See `NetworkEngine`.

        Args:
            face: the face model that the user brought in.
            read: tells who is in a portrait.
            executor: runs the networks.
            say: hears if that is slow.
            states: where portraits' states are kept for the next start.
        """
        super().__init__(executor, say, states)
        self._face, self._own, self._read = face, load_face_model(), read

    def _avatar(self, portrait: Portrait, prepare: Preparation) -> GohaAvatar:
        return GohaAvatar(portrait, self._face, self._own, self._read, prepare)
