"""The push to a media server: a real one of our own, that takes the offer, watches, goes away and comes back."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from aiohttp import web
from aiortc import RTCPeerConnection

from models.errors import AgentError, InputError
from runtime.metrics import Metrics
from runtime.sinks.whip import Whip, whip_policy
from runtime.transports.ice import IcePolicy
from runtime.transports.peer import answer, close_peer, open_peer
from tests.runtime.peers import HERE
from tests.runtime.webrtc_feed import CLOCK, SIZE, coloured, feeding


class Server:
    """Takes one avatar at a time from who knows the token."""

    def __init__(self) -> None:
        self.peers: list[RTCPeerConnection] = []
        self.levels: list[int] = []
        self.left = 0
        self.url = ""
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=[ready], daemon=True)
        self.thread.start()
        ready.wait(10)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self.thread.join()

    def drop(self) -> None:
        """Goes away without being asked to."""
        asyncio.run_coroutine_threadsafe(close_peer(self.peers[-1]), self.loop).result(5)

    def _run(self, ready: threading.Event) -> None:
        self.loop.run_until_complete(self._serve(ready))

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
        await runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer key":
            raise web.HTTPUnauthorized(text="Wrong key")
        peer = open_peer(HERE)
        self.peers.append(peer)
        text = await answer(peer, await request.text(), HERE, ("audio", "video"))
        self._watching = asyncio.ensure_future(self._watch(peer))
        return web.Response(status=201, text=text, content_type="application/sdp", headers={"Location": "/whip/1"})

    async def _watch(self, peer: RTCPeerConnection) -> None:
        track = next(receiver.track for receiver in peer.getReceivers() if receiver.track.kind == "video")
        while True:
            self.levels.append(int((await track.recv()).to_ndarray()[40, 40]))

    async def _delete(self, _: web.Request) -> web.Response:
        self.left += 1
        await close_peer(self.peers[-1])
        return web.Response()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def push(url: str, bearer: str = "key") -> Whip:
    return Whip(url, SIZE, 25, bearer=bearer, policy=IcePolicy(), sound=True, clock=CLOCK, metrics=Metrics())


def wait(reached) -> None:
    for _ in range(400):
        if reached():
            return
        time.sleep(0.05)
    raise AssertionError("not within 20 s")


def test_a_server_gets_the_avatar_and_gets_it_again(server: Server) -> None:
    sink = push(server.url)
    with feeding(sink, lambda: coloured((128, 128, 128))):
        wait(lambda: len(server.levels) > 3)
        assert abs(server.levels[-1] - 126) < 6  # of 128 in limited range
        server.drop()
        wait(lambda: len(server.peers) == 2)
        seen = len(server.levels)
        wait(lambda: len(server.levels) > seen + 3)
    left = server.left
    sink.close()
    sink.close()
    assert server.left == left + 1


def test_refusals_in_one_line(server: Server) -> None:
    with pytest.raises(InputError, match=r"refuses \(401\): Wrong key$"):
        push(server.url, "no")
    with pytest.raises(AgentError, match="does not answer"):
        push("http://127.0.0.1:9/whip")
    for url in ("", "ftp://a/b", "https:///x"):
        with pytest.raises(InputError, match="give whip:"):
            whip_policy(url, (), "", "")


def test_only_a_server_elsewhere_learns_of_addresses() -> None:
    assert whip_policy("http://localhost:8080/whip", (), "", "").stays_here
    assert whip_policy("https://live.example/whip", (), "", "").addresses is None
