"""What the preview page may change of the running picture: portrait, background, engine."""

import asyncio
import re
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from models.errors import AgentError
from runtime.change import Change, Upload

MAX_BYTES = 64 * 1024**2
"""The largest picture file that is taken."""
_PATIENCE_S = 60.0  # for a file to arrive
_LONGEST_NAME = 80
_BACKGROUND = re.compile(
    r"keep|blur|#[0-9a-fA-F]{6}"
)  # and no path: the page has no business with this machine's files


class _RefusedError(Exception):
    """Why a request is not met, and as which HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Changes:
    """Answers `POST /change/portrait`, `/change/background` and `/change/engine`, one at a time.

    Only the page itself may ask: the request has to come from it (`Origin`) and carry its token. Files come as the
    body with `?name=`, choices as `?choice=`. The answer is JSON, {"notes": [...]} or {"error": "one line"}.
    """

    def __init__(self, change: Callable[[Change], Sequence[str]]) -> None:
        """`change` is called in a thread of its own, may take seconds, and returns what the person should know.

        The AgentError that it raises is what the person reads.
        """
        self._change = change
        self._busy = False
        self._making: asyncio.Future[Sequence[str]] | None = None
        self._worker = ThreadPoolExecutor(1, "preview-change")
        self.token = secrets.token_urlsafe(24)
        """What the page sends as `X-Token`."""

    async def answer(self, request: web.Request) -> web.Response:
        """Makes one change. The server has checked by then that it is addressed as this machine."""
        try:
            self._check(request)
            self._busy = True
            try:
                notes = await self._make(request)
            finally:
                self._busy = False
        except _RefusedError as refused:
            return web.json_response({"error": str(refused)}, status=refused.status)
        except AgentError as error:
            return web.json_response({"error": str(error)}, status=422)
        except Exception as error:  # the run goes on, whatever a picture holds
            return web.json_response({"error": f"failed: {type(error).__name__}: {error}"}, status=500)
        return web.json_response({"notes": list(notes)})

    def close(self) -> None:
        """Waits for no change: whoever asked for one that is being made is told. Called in the server's thread."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        if self._making is not None:
            self._making.cancel()

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Origin") != f"http://{request.host}":
            raise _RefusedError(403, "only the preview page may change the picture")
        token = request.headers.get("X-Token", "").encode(errors="replace")  # a header may hold any bytes
        if not secrets.compare_digest(token, self.token.encode()):
            raise _RefusedError(403, "this page is of an earlier run; load it again")
        if self._busy:
            raise _RefusedError(409, "another change is being made; wait for it")

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
                change = Change(engine=choice)
            case _:
                raise _RefusedError(404, "there is no such choice")
        self._making = asyncio.get_running_loop().run_in_executor(self._worker, self._change, change)
        await asyncio.wait([self._making])
        if self._making.cancelled():
            raise _RefusedError(503, "the run has ended")
        return self._making.result()


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
