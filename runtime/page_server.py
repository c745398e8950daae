"""A web page, on this machine and for it alone unless told otherwise: the server that all pages of the agent share."""

import asyncio
import errno
import html
import ipaddress
import json
import logging
import secrets
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from models.errors import InputError
from runtime.event_loops import end_loop

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",  # no other site may embed what is served
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer."""
TOKEN_HEADER = "X-Token"
"""In it the page says, with every request that changes something, the token that only it knows."""

LOOPBACK = "127.0.0.1"  # the picture is nobody else's business
_PORTS_TRIED = 21
_HEAD = Path(__file__).with_name("page_head.html")
_logger = logging.getLogger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageServer:
    """Serves a page at `/`, and routes, at 127.0.0.1 from a thread of its own.

    Requests that name another host are refused (DNS rebinding). Requests other than GET must come from the page
    (`Origin`) and carry the token that only it knows, so that no other site can press its buttons; or be such as
    `may_change` knows to be allowed. In the page, `{{head}}` becomes the head and style that all pages share,
    `{{title}}`, `{{nonce}}` and `{{token}}` what they say.
    """

    def __init__(
        self,
        name: str,
        page: Path | None,
        title: str,
        port: int,
        routes: Sequence[web.RouteDef],
        no_other_port: bool = False,
        *,
        host: str = LOOPBACK,
        public: str = "",
        may_change: Callable[[web.Request], bool] = lambda request: False,
        at_end: Callable[[], Awaitable[None]] | None = None,
        beside: Callable[[], Coroutine[None, None, None]] | None = None,
    ) -> None:
        """Opens the port; where it is taken, the next 20 are tried unless `no_other_port` will do; 0 takes any free
        one. `start` begins to answer. Without a `page` there is nothing at `/`. `host` is the address to listen at,
        `public` the origin, as in https://HOST, under which a proxy passes requests on, if there is one; `at_end` says
        goodbye, in the server's loop, before the port is freed; `beside` runs there until then.

        Raises InputError when none is free, or the address is not this machine's.
        """
        self._title, self._text = title, "" if page is None else page.read_text("utf-8")
        self._routes = [*([web.get("/", self._page)] if self._text else []), *routes]
        self._token = secrets.token_urlsafe(16)
        self._host, self._public, self._may_change = host, public, may_change
        self._at_end, self._beside = at_end, beside
        self.socket = _listen(host, port, 1 if no_other_port else _PORTS_TRIED)
        """Listens at the address."""
        self.run = secrets.token_hex(8)
        """Tells the page that another agent has taken the port."""
        self.closing = False
        self.changed = asyncio.Event()
        """Set when there is something new; replaced each time. For handlers, which run in the server's thread."""
        self._port = int(self.socket.getsockname()[1])
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    @property
    def url(self) -> str:
        """Where the page is."""
        host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(self._host, self._host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}/"

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def wake(self) -> None:
        """Lets whoever waits for `changed` look again. Any thread; ignored once closed."""
        with self._lock:
            if not self.closing:
                self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """Ends open answers and frees the port. May be called twice."""
        with self._lock:
            if self.closing:
                return
            self.closing = True
            self._loop.call_soon_threadsafe(self._wake)
        self._thread.join()

    def answer(self, values: Mapping[str, object]) -> web.Response:
        """JSON, with `run`."""
        return web.Response(
            text=json.dumps({**values, "run": self.run}), content_type="application/json", headers=HEADERS
        )

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run_server())
        end_loop(self._loop)

    async def _run_server(self) -> None:
        app = web.Application(middlewares=[self._guard])
        app.add_routes(self._routes)
        runner = web.AppRunner(app, access_log=None, logger=_logger, shutdown_timeout=0.5)
        await runner.setup()
        await web.SockSite(runner, self.socket).start()
        beside = None if self._beside is None else self._loop.create_task(self._beside())
        while not self.closing:
            await self.changed.wait()
        if beside is not None:
            beside.cancel()
        if self._at_end is not None:
            await self._at_end()
        await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._is_named(request.host):
            raise web.HTTPForbidden(text=f"Open {self.url} instead.", headers=HEADERS)
        changes = request.method not in ("GET", "HEAD")
        if changes and not self._is_own(request) and not self._may_change(request):
            raise web.HTTPForbidden(text="Only the page itself may do this; load it again.", headers=HEADERS)
        return await handler(request)

    def _is_named(self, host: str) -> bool:
        """Whether a request asks for this server by address or as its proxy, not by a name that somebody else may have
        given it.
        """
        if self._public and host.lower() == urlsplit(self._public).netloc:
            return True
        name, _, port = host.rpartition(":")
        if port != str(self._port):
            return False
        if self._host == LOOPBACK:
            return name in (LOOPBACK, "localhost")
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return name == "localhost"
        return True

    def _is_own(self, request: web.Request) -> bool:
        told = request.headers.get(TOKEN_HEADER, "").encode("utf-8", "surrogateescape")
        origin = request.headers.get("Origin", "")
        own_origin = bool(origin) and origin in (f"http://{request.host}", self._public)
        return own_origin and secrets.compare_digest(told, self._token.encode())

    async def _page(self, _: web.Request) -> web.Response:
        nonce = secrets.token_urlsafe(16)
        page = self._text.replace("{{head}}", _HEAD.read_text("utf-8"))
        page = page.replace("{{nonce}}", nonce).replace("{{token}}", self._token)
        policy = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
            "img-src 'self' data:; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return web.Response(
            text=page.replace("{{title}}", html.escape(self._title)),
            content_type="text/html",
            headers=HEADERS | {"Content-Security-Policy": policy},
        )


def _is_of_ours(record: logging.LogRecord) -> bool:
    """Not of a request that could not be read, which is whoever sent it's concern: it is answered with 400."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_logger.addFilter(_is_of_ours)


def check_address(host: str, port: int, no_other_port: bool = False) -> None:
    """Raises InputError where a `PageServer` could not listen."""
    _listen(host, port, 1 if no_other_port else _PORTS_TRIED).close()


def _listen(host: str, port: int, ports_tried: int) -> socket.socket:
    """A socket that listens at `port` of an address, or the first free one of those that follow."""
    last = min(port + ports_tried, 65_536) if port else 1
    for candidate in range(port, last):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen()
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise InputError(f"{host} is no address of this machine: give one that it has.") from error
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise InputError(f"Cannot open port {candidate}: {error.strerror}.") from error
        else:
            return listener
    which = f"port {port} is" if last == port + 1 else f"ports {port} to {last - 1} are"
    raise InputError(f"The {which} taken or not allowed: choose another, or 0 for any.")
