"""The player that draws avatars in browsers, for pages that serve it."""

from pathlib import Path

from aiohttp import web

from runtime.page_server import HEADERS

_FOLDER = Path(__file__).parent / "page" / "avatar"
_MODULES = {path.name: path for path in _FOLDER.glob("*.js")}


def player_routes() -> list[web.RouteDef]:
    """Routes of its modules: a page imports `/avatar/player.js`."""
    return [web.get("/avatar/{name}", _module)]


async def _module(request: web.Request) -> web.Response:
    path = _MODULES.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound(headers=HEADERS)
    return web.Response(body=path.read_bytes(), content_type="text/javascript", headers=HEADERS)
