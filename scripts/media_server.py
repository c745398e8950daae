"""A media server of our own: takes one avatar at a time by WHIP, from who knows the token, and sees its pictures."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web
from aiortc import RTCPeerConnection
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from runtime.event_loops import end_loop
from runtime.transports.ice import IcePolicy
from runtime.transports.peer import answer, close_peer, open_peer

TOKEN = "key"
HERE = IcePolicy()


class MediaServer:
    """Serves at `url` from a thread of its own."""

    def __init__(self, see: Callable[[VideoFrame], None]) -> None:
        """`see` is given every picture, in the server's thread."""
        self.peers: list[RTCPeerConnection] = []
        self.left = 0
        """How often an avatar has taken leave."""
        self.url = ""
        self._see = see
        self._watching: list[asyncio.Task[None]] = []
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[ready], daemon=True)
        self._thread.start()
        ready.wait(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def drop(self) -> None:
        """Goes away without being asked to."""
        asyncio.run_coroutine_threadsafe(close_peer(self.peers[-1]), self._loop).result(5)

    def _run(self, ready: threading.Event) -> None:
        self._loop.run_until_complete(self._serve(ready))
        end_loop(self._loop)

    async def _serve(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        app = web.Application()
        app.add_routes([web.post("/whip", self._post), web.delete("/whip/1", self._delete)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/whip"
        ready.set()
        await self._stop.wait()
        await asyncio.gather(*map(close_peer, self.peers))
        await runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPUnauthorized(text="Wrong key")
        peer = open_peer(HERE)
        self.peers.append(peer)
        text = await answer(peer, await request.text(), HERE, ("audio", "video"))
        self._watching.append(asyncio.ensure_future(watch(peer, self._see)))
        return web.Response(status=201, text=text, content_type="application/sdp", headers={"Location": "/whip/1"})

    async def _delete(self, _: web.Request) -> web.Response:
        self.left += 1
        await close_peer(self.peers[-1])
        return web.Response()


async def watch(peer: RTCPeerConnection, see: Callable[[VideoFrame], None]) -> None:
    """Shows `see` every picture that a peer gets, until it gets no more."""
    track = next(receiver.track for receiver in peer.getReceivers() if receiver.track.kind == "video")
    with suppress(MediaStreamError):  # it is over
        while True:
            frame = await track.recv()
            assert isinstance(frame, VideoFrame)
            see(frame)
