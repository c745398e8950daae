"""A web page on this machine that shows the live picture and the agent's meters."""

import asyncio
import errno
import html
import json
import secrets
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from aiohttp import web
from jaxtyping import UInt8

from models.errors import InputError
from runtime.change import Change
from runtime.frame import Picture, Sound
from runtime.sinks.changes import MAX_BYTES, Changes

_HOST = "127.0.0.1"  # the picture is nobody else's business
_PORTS_TRIED = 21
_JPEG_QUALITY = 88
_PAGE = Path(__file__).with_name("page") / "index.html"
_NEXT_PART = b"\r\n--picture\r\nContent-Type: image/jpeg\r\n\r\n"
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",  # no other site may embed the stream
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Shot:
    """A picture that becomes a JPEG when the first viewer asks, and only once."""

    def __init__(self, image: UInt8[np.ndarray, "h w 3"]) -> None:
        self._image = image
        self._lock = threading.Lock()
        self._jpeg: bytes | None = None

    def jpeg(self) -> bytes:
        """The picture as JPEG. Any thread."""
        with self._lock:
            if self._jpeg is None:
                bgr = cv2.cvtColor(self._image, cv2.COLOR_RGB2BGR)
                _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
                self._jpeg = data.tobytes()
            return self._jpeg


class Preview:
    """Serves `/` (the page), `/stream.mjpeg` and `/status.json` at 127.0.0.1 from a thread of its own.

    Pictures are encoded only while somebody watches, once for all viewers; a viewer that cannot keep up skips
    to the newest one. Requests that name another host are refused (DNS rebinding), and no other site can
    embed the stream or change the picture.

    `status` is called in the server's thread twice a second per viewer and must not block. The page shows
    these keys of what it returns, as in `--report`, and a dash for what is missing: `portrait`, `engine`,
    `backend`, `mode`, `fps` (the target), `fps_rendered`, `frames`, `dropped`, `latency_ms` {"p50", "p95",
    "p99"} and `stages` {name: {"p50_ms", "p95_ms"}}; its controls show `background` and `engines` (their names).
    """

    name: ClassVar[str] = "preview"

    def __init__(
        self,
        port: int = 8765,
        *,
        title: str = "Avatar",
        status: Callable[[], Mapping[str, object]],
        change: Callable[[Change], Sequence[str]] | None = None,
    ) -> None:
        """Starts to serve. Where `port` is taken, the next 20 are tried; 0 takes any free one.

        `change` makes what the person asks for, as `Changes` says; without it the page has no controls.

        Raises InputError when none is free.
        """
        self._title = title
        self._status = status
        self._changes = None if change is None else Changes(change)
        self._run = secrets.token_hex(8)  # tells the page that another agent has taken the port
        self._socket = _listen(port)
        self._port = int(self._socket.getsockname()[1])
        self._shot: _Shot | None = None
        self._closing = False
        self._lock = threading.Lock()
        self._encoder = ThreadPoolExecutor(1, "preview-jpeg")
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="preview", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{_HOST}:{self._port}/"

    def send(self, picture: Picture) -> None:
        """Shows one picture to whoever watches."""
        with self._lock:
            if not self._closing:
                self._shot = _Shot(picture.image)
                self._loop.call_soon_threadsafe(self._wake)

    def hear(self, sound: Sound) -> None:
        """The page is silent."""

    def close(self, complete: bool = True) -> None:
        """Ends the streams, open ones too, and frees the port."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._loop.call_soon_threadsafe(self._wake)
        self._thread.join()

    def _wake(self) -> None:
        """Lets every viewer look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        with self._encoder:
            self._loop.run_until_complete(self._run_server())
        self._loop.close()

    async def _run_server(self) -> None:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._page)
        app.router.add_get("/status.json", self._status_json)
        app.router.add_get("/stream.mjpeg", self._stream)
        if self._changes is not None:
            app.router.add_post("/change/{what}", self._changes.answer)
        app.on_response_prepare.append(_add_headers)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        while not self._closing:
            await self._changed.wait()
        if self._changes is not None:
            self._changes.close()
        await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.host not in (f"{_HOST}:{self._port}", f"localhost:{self._port}"):
            raise web.HTTPForbidden(text=f"Open {self.url} instead.")
        return await handler(request)

    async def _page(self, _: web.Request) -> web.Response:
        nonce = secrets.token_urlsafe(16)
        page = _PAGE.read_text("utf-8").replace("{{nonce}}", nonce).replace("{{limit}}", str(MAX_BYTES))
        page = page.replace("{{token}}", "" if self._changes is None else self._changes.token)
        policy = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
            "img-src 'self' data:; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return web.Response(
            text=page.replace("{{title}}", html.escape(self._title)),
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
        )

    async def _status_json(self, _: web.Request) -> web.Response:
        return web.Response(
            text=json.dumps({**self._status(), "run": self._run}),
            content_type="application/json",
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """JPEGs, each followed at once by the head of the next: until then browsers do not show it."""
        response = web.StreamResponse()
        response.content_type = "multipart/x-mixed-replace; boundary=picture"
        await response.prepare(request)
        shown: _Shot | None = None
        try:
            await response.write(_NEXT_PART)
            while not self._closing:
                changed, shot = self._changed, self._shot
                if shot is None or shot is shown:
                    await changed.wait()
                    continue
                jpeg = await asyncio.get_running_loop().run_in_executor(self._encoder, shot.jpeg)
                await response.write(jpeg + _NEXT_PART)
                shown = shot
        except ConnectionError:
            pass  # the viewer has gone
        return response


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _listen(port: int) -> socket.socket:
    """A socket that listens at `port` or the first free one of the next 20."""
    last = min(port + _PORTS_TRIED, 65_536) if port else 1
    for candidate in range(port, last):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, candidate))
            listener.listen()
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise InputError(f"Cannot open port {candidate}: {error.strerror}.") from error
        else:
            return listener
    raise InputError(f"The ports {port} to {last - 1} are taken or not allowed: choose another, or 0 for any.")
