"""An end of a call that shows nothing and says nothing."""

import numpy as np


class SilentHost:
    """A `runtime.transports.call_host.Host`, of which measurements replace what they look at."""

    def called(self, hello: object) -> None: ...

    def known(self, digest: str) -> bytes | None:
        return None

    def show(self, hello: object, portrait: bytes | None) -> None: ...

    def shown(self) -> None: ...

    def lost(self) -> None: ...

    def see(self, glimpsed: object) -> None: ...

    def hear(self, sound: object) -> None: ...

    def say(self, count: int, leaves_ns: int) -> np.ndarray:
        return np.zeros((count, 2), np.float32)
