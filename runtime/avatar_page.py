"""Pages that draw avatars themselves: the player, and a call in a browser."""

from importlib.resources import files
from pathlib import Path

from aiohttp import web

from runtime.page_server import HEADERS

_PAGES = Path(__file__).parent / "page"
_MODULES = {(folder, path.name): path for folder in ("avatar", "call") for path in (_PAGES / folder).glob("*.js")}

AVATAR_PAGE = _PAGES / "avatar" / "index.html"
"""Shows the package at `/package`, moved by the packets of `/packets`: a list of {due_ms, hex}."""
CALL_PAGE = _PAGES / "call" / "index.html"
"""Takes part in the call whose link it is opened with."""


def player_routes() -> list[web.RouteDef]:
    """Routes of the player's modules and tables: a page imports `/avatar/player.js`."""
    return [web.get("/avatar/motion_tables.json", _tables), web.get("/{folder:avatar}/{name}", _module)]


def call_routes() -> list[web.RouteDef]:
    """Routes of what `CALL_PAGE` loads."""
    return [*player_routes(), web.get("/page/{folder:call}/{name}", _module)]


def joining_routes() -> list[web.RouteDef]:
    """Routes of what pages need that join by a link: proofs, and the way through networks."""
    return [web.get(r"/page/{folder:call}/{name:proof\.js|ice\.js}", _module)]


async def _module(request: web.Request) -> web.Response:
    path = _MODULES.get((request.match_info["folder"], request.match_info["name"]))
    if path is None:
        raise web.HTTPNotFound(headers=HEADERS)
    return web.Response(body=path.read_bytes(), content_type="text/javascript", headers=HEADERS)


async def _tables(_: web.Request) -> web.Response:
    tables = (files("models") / "data" / "motion_tables.json").read_bytes()
    return web.Response(body=tables, content_type="application/json", headers=HEADERS)
