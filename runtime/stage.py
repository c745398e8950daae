"""The stage: the engine and avatar that are drawn, and those that wait to take their place."""

import threading
from typing import Any

from models.motion import Motion
from models.portrait import Pixels
from runtime.engines import Engine


class Stage:
    """Changes engine and avatar between two pictures. Owns the engines that it is given and closes each once."""

    def __init__(self, engine: Engine[Any], avatar: Any) -> None:
        self._lock = threading.Lock()  # guards all below
        self._shown: tuple[Engine[Any], Any] = (engine, avatar)
        self._next: tuple[Engine[Any], Any] | None = None
        self._closed = False
        self._retiring: list[threading.Thread] = []

    def swap(self, engine: Engine[Any], avatar: Any) -> None:
        """Shows another avatar from the next picture on; the newest wins. Any thread; never blocks.

        The engine may be the one that is shown. One that is not needed any more is closed on a thread of its own.
        """
        with self._lock:
            unused = (engine, avatar) if self._closed else self._next
            if not self._closed:
                self._next = (engine, avatar)
            self._retire(unused)

    @property
    def levels(self) -> int:
        """Of the engine that is shown."""
        return self._shown[0].levels

    def render(self, motion: Motion, level: int = 0) -> Pixels:
        """The picture of what is shown now, at this level or the engine's last. Called by the loop alone."""
        with self._lock:
            if self._next is not None:
                before, self._shown, self._next = self._shown, self._next, None
                self._retire(before)
            engine, avatar = self._shown
        return engine.render(avatar, motion, min(level, engine.levels - 1))

    def close(self) -> None:
        """Closes all engines; what is swapped in later is closed at once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            waiting, self._next = self._next, None
            self._retire(waiting)
        for thread in self._retiring:
            thread.join()
        self._shown[0].close()

    def _retire(self, unused: tuple[Engine[Any], Any] | None) -> None:
        """Closes an engine if nothing uses it; freeing a device may take longer than a picture has time."""
        used = [pair[0] for pair in (self._shown, self._next) if pair is not None]
        if unused is None or any(unused[0] is engine for engine in used):
            return
        thread = threading.Thread(target=unused[0].close, name="retired engine", daemon=True)
        self._retiring = [*(thread for thread in self._retiring if thread.is_alive()), thread]
        thread.start()
