"""The player that draws avatars in browsers, for pages that serve it."""

from importlib.resources import files
from pathlib import Path

from aiohttp import web

from runtime.page_server import HEADERS

_FOLDER = Path(__file__).parent / "page" / "avatar"
_MODULES = {path.name: path for path in _FOLDER.glob("*.js")}

AVATAR_PAGE = _FOLDER / "index.html"
"""Shows the package at `/package`, moved by the packets of `/packets`: a list of {due_ms, hex}."""


def player_routes() -> list[web.RouteDef]:
    """Routes of its modules and tables: a page imports `/avatar/player.js`."""
    return [web.get("/avatar/motion_tables.json", _tables), web.get("/avatar/{name}", _module)]


async def _module(request: web.Request) -> web.Response:
    path = _MODULES.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound(headers=HEADERS)
    return web.Response(body=path.read_bytes(), content_type="text/javascript", headers=HEADERS)


async def _tables(_: web.Request) -> web.Response:
    tables = (files("models") / "data" / "motion_tables.json").read_bytes()
    return web.Response(body=tables, content_type="application/json", headers=HEADERS)
