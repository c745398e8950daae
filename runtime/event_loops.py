"""Event loops in threads of their own: work handed to them, and how they end."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

_PATIENCE_S = 3.0
_ENDING_S = 1.0


def run_in(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, object]) -> None:
    """Does something in another thread's loop and waits for it, for a moment."""
    try:
        done = asyncio.run_coroutine_threadsafe(work, loop)
    except RuntimeError:  # it has closed
        work.close()
        return
    with suppress(TimeoutError, CancelledError):  # the loop is busy, or has ended meanwhile
        done.result(_PATIENCE_S)


def end_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Cancels what is still under way in a loop that runs no more, and closes it. Waits for no thread."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=_ENDING_S))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
