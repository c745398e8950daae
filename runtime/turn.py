"""One at a time, and of those who wait only the newest stays: a slot of one for work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import AgentError


class Turn:
    """Lets one caller do its work; the newest of the others is next, and the rest are told that they are not."""

    def __init__(self) -> None:
        self._condition = threading.Condition()  # guards the two below
        self._newest = 0
        self._taken = False

    @contextmanager
    def take(self, work: object) -> Iterator[None]:
        """Waits until the caller may go, and holds the turn meanwhile. Any thread.

        Raises:
            AgentError: somebody newer came while this one waited; says so of `work`, a few words.
        """
        with self._condition:
            self._newest += 1
            mine = self._newest
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._newest != mine or not self._taken)
            if self._newest != mine:
                raise AgentError(f"{work}: not done, since a newer choice took its place")
            self._taken = True
        try:
            yield
        finally:
            with self._condition:
                self._taken = False
                self._condition.notify_all()
