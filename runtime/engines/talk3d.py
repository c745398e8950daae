"""The engine of Talk3D: one person's networks, on a GPU or, slowly, on the CPU."""

from collections.abc import Callable

from models.backends.executor import Executor
from models.portrait import Portrait
from models.talk3d.avatar import Preparation, Talk3dAvatar
from models.talk3d.drive import Drive
from models.talk3d.person_state import PersonParts, PersonState
from models.talk3d.recording import Recording
from models.talk3d.silence import Heard
from runtime.engines.networks import NetworkEngine


class Talk3dEngine(NetworkEngine[PersonParts, PersonState, Drive, Talk3dAvatar]):
    """Engine[Talk3dAvatar]: whatever the portrait, the person whose weights were brought in; it gives the size."""

    name = "talk3d"

    def __init__(
        self,
        recording: Recording,
        silence: Heard,
        executor: Executor[PersonParts, PersonState, Drive],
        say: Callable[[str], None],
    ) -> None:
        """See `NetworkEngine`; `recording`: that the person's networks learnt from; `silence`: see `Talk3dAvatar`."""
        super().__init__(executor, say, None)
        self._recording, self._silence = recording, silence
        self._state: PersonState | None = None

    def _avatar(self, portrait: Portrait, prepare: Preparation) -> Talk3dAvatar:
        self._say("talk3d draws the person whose weights were brought in; the photo gives the picture its size alone")
        height, width = portrait.image.shape[:2]

        def once(person: PersonParts) -> PersonState:
            """For all portraits."""
            self._state = self._state or prepare(person)
            return self._state

        return Talk3dAvatar((width, height), self._recording, self._silence, once)
