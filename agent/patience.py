"""Work that need not be waited for: a library in the middle of a step, or a device, hears nobody who wants an end."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")

_LOOK_S = 0.1
_GRACE_S = 0.5  # work that can end by itself is not left behind
_SAY_EVERY_S = 10.0


class Abandoned(KeyboardInterrupt):
    """Interrupted, with work left behind in a thread: the process must end without waiting for it."""


def patiently(doing: str, work: Callable[[], T], asked: Callable[[], bool], say: Callable[[str], None]) -> T:
    """What `work` returns or raises; it is done in a thread of its own.

    Args:
        doing: what is done, for messages.
        work: may take minutes in which it does not listen.
        asked: whether the user wants it to end.
        say: hears every ten seconds for how long it has been done.

    Raises Abandoned, half a second after a KeyboardInterrupt, or after the user wanted it to end if it has not by then.
    """
    begun_s = said_s = time.monotonic()
    answer = _in_a_thread(doing, work)
    try:
        while not wait([answer], _LOOK_S).done and not asked():
            now_s = time.monotonic()
            if now_s - said_s >= _SAY_EVERY_S:
                said_s = now_s
                say(f"{doing}: {now_s - begun_s:.0f} s so far")
    except KeyboardInterrupt:
        wait([answer], _GRACE_S)
        raise Abandoned from None
    if not wait([answer], _GRACE_S).done:
        raise Abandoned
    return answer.result()


def within(limit_s: float, doing: str, work: Callable[[], T]) -> T:
    """What `work` returns or raises, done in a thread of its own. Raises TimeoutError when it is left behind."""
    answer = _in_a_thread(doing, work)
    if not wait([answer], limit_s).done:
        raise TimeoutError(f"{doing}: no answer within {limit_s:g} s")
    return answer.result()


def _in_a_thread(doing: str, work: Callable[[], T]) -> Future[T]:
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, name=doing, daemon=True).start()
    return answer
