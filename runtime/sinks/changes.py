"""What the preview page may change of the running picture: portrait, background, engine."""

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from models.errors import AgentError
from runtime.change import Change, DoubtfulError, Upload
from runtime.page_server import HEADERS

MAX_BYTES = 64 * 1024**2
"""The largest picture file that is taken."""
_PATIENCE_S = 60.0  # for a file to arrive
_MOST = 4  # requests at once: one is made, and the others arrive or wait
_GLANCE_S = 0.2  # how often a change that is being made looks whether the server closes
_LONGEST_NAME = 80
_BACKGROUND = re.compile(r"keep|blur|#[0-9a-fA-F]{6}")  # and no path: this machine's files are not the page's business


class _RefusedError(Exception):
    """Why a request is not met, and as which HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Changes:
    """Answers `POST /change/portrait`, `/change/background` and `/change/engine`.

    Files come as the body with `?name=`, choices as `?choice=`, an engine's with `&sure=yes` from somebody who knows
    what speaks against it. The answer is JSON, {"notes": [...]}, {"error": "one line"}, or {"doubt": "one line"}, which
    asks whether somebody is sure.
    """

    def __init__(self, change: Callable[[Change], Sequence[str]], closing: Callable[[], bool]) -> None:
        """`change` is called in a thread for each request, may take seconds, and returns what the person should know.

        It decides what becomes of several requests at once. The AgentError that it raises is what the person reads. No
        answer waits for it once the server is `closing`.
        """
        self._change, self._closing = change, closing
        self._open = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Makes one change; the server has checked by then that the page itself asks for it."""
        try:
            if self._open == _MOST:
                raise _RefusedError(429, "too many changes at once; wait for one of them")
            self._open += 1
            try:
                notes = await self._make(request)
            finally:
                self._open -= 1
        except _RefusedError as refused:
            return _json({"error": str(refused)}, refused.status)
        except DoubtfulError as doubt:
            return _json({"doubt": str(doubt)}, 409)
        except AgentError as error:
            return _json({"error": str(error)}, 422)
        except Exception as error:  # the run goes on, whatever a picture holds
            return _json({"error": f"failed: {type(error).__name__}: {error}"}, 500)
        return _json({"notes": list(notes)})

    async def _make(self, request: web.Request) -> Sequence[str]:
        choice = request.query.get("choice")
        match request.match_info["what"]:
            case "portrait":
                change = Change(portrait=await _upload(request))
            case "background" if choice is not None and _BACKGROUND.fullmatch(choice):
                change = Change(background=choice)
            case "background" if choice is None:
                change = Change(background=await _upload(request))
            case "engine" if choice is not None:
                change = Change(engine=choice, sure=request.query.get("sure") == "yes")
            case _:
                raise _RefusedError(404, "there is no such choice")
        worker = ThreadPoolExecutor(1, "preview-change")
        making = asyncio.get_running_loop().run_in_executor(worker, self._change, change)
        worker.shutdown(wait=False)
        while not making.done():
            await asyncio.wait([making], timeout=_GLANCE_S)
            if self._closing():
                making.cancel()
                raise _RefusedError(503, "the run has ended")
        return making.result()


def _json(said: dict[str, object], status: int = 200) -> web.Response:
    return web.json_response(said, status=status, headers=HEADERS)


async def _upload(request: web.Request) -> Upload:
    """The body, which is kept in memory only."""
    given = "".join(filter(str.isprintable, request.query.get("name", ""))).strip()
    name = given[-_LONGEST_NAME:] or "the picture"
    too_large = _RefusedError(413, f"{name} is larger than {MAX_BYTES >> 20} MB; choose a smaller picture")
    if (request.content_length or 0) > MAX_BYTES:
        raise too_large
    data = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > MAX_BYTES:
                    raise too_large
    except TimeoutError:
        raise _RefusedError(408, f"{name} did not arrive; try again") from None
    return Upload(name, bytes(data))
