"""One change at a time; those that come meanwhile are merged and made as one."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import reduce

from models.errors import AgentError
from runtime.change import Change

Notes = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    change: Change
    answer: Future[Notes] = field(default_factory=Future)


class Turn:
    """Makes changes, for which whoever asks waits. Nothing is lost but what is chosen again before it was made."""

    def __init__(self, make: Callable[[Change], Notes]) -> None:
        """`make` is called by one thread at a time, with a change or with several merged."""
        self._make = make
        self._condition = threading.Condition()  # guards the two below
        self._waiting: list[_Request] = []
        self._taken = False

    def take(self, change: Change) -> Notes:
        """Waits until the change is made, with all others that wait by then. Any thread.

        Where they cannot be made together, each is made by itself.

        Returns:
            What `make` returned.

        Raises:
            AgentError: a newer choice of the same kind took the place of one of these, which is said at once.
            Exception: as `make` raised it of this change.
        """
        mine = _Request(change)
        with self._condition:
            self._waiting.append(mine)
            _tell_replaced(self._waiting)
            self._condition.notify_all()
            self._condition.wait_for(lambda: mine.answer.done() or not self._taken)
            if mine.answer.done():
                return mine.answer.result()
            self._taken, together, self._waiting = True, self._waiting, []
        try:
            self._carry_out(together)
        finally:
            with self._condition:
                self._taken = False
                self._condition.notify_all()
        return mine.answer.result()

    def _carry_out(self, requests: Sequence[_Request]) -> None:
        """Answers all that have no answer yet."""
        merged = _merged(requests)
        try:
            notes = self._make(merged)
        except Exception as error:
            if len(requests) == 1:
                _answer(requests[0], error)
            else:
                for request in requests:
                    rest = request.change.unlike(request.change.unlike(merged))  # without what was replaced
                    if str(rest):
                        self._carry_out([_Request(rest, request.answer)])
        else:
            for request in requests:
                _answer(request, notes)


def _tell_replaced(requests: Sequence[_Request]) -> None:
    merged = _merged(requests)
    for request in requests:
        if replaced := str(request.change.unlike(merged)):
            _answer(request, AgentError(f"{replaced}: not done, since a newer choice took its place"))


def _merged(requests: Sequence[_Request]) -> Change:
    return reduce(Change.merged, (request.change for request in requests))


def _answer(request: _Request, answer: Notes | Exception) -> None:
    """The first answer counts."""
    if request.answer.done():
        return
    if isinstance(answer, Exception):
        request.answer.set_exception(answer)
    else:
        request.answer.set_result(answer)
