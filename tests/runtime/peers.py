"""Two real peers in one process, and a host that answers over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from aiortc import RTCPeerConnection

from runtime.clock import MonotonicClock
from runtime.transports.ice import IcePolicy
from runtime.transports.invitation import Invitation
from runtime.transports.links import Link
from runtime.transports.peer import answer, close_peer, on_connected, open_peer
from runtime.transports.signalling import FullError, Joined, Signalling

T = TypeVar("T")
HERE = IcePolicy()


def run(test: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(test, 30))


class Host:
    """Answers the offers of guests that bring a data channel, at most `places` at a time."""

    def __init__(self, places: int = 2, policy: IcePolicy = HERE) -> None:
        clock = MonotonicClock()
        self.peers: list[RTCPeerConnection] = []
        self.said: list[str] = []
        self.places = places
        self.slow: asyncio.Event | None = None
        """Nobody gets an answer before it is set."""
        self.lose_answer = False
        """The next one does not arrive."""
        self.invitation = Invitation(clock, 60, places)
        self.signalling = Signalling(
            "/join", self.invitation, self.join, policy=policy, kinds=("application",), clock=clock
        )
        self.base = ""

    @property
    def link(self) -> Link:
        return Link(self.base, self.invitation.secret)

    async def join(self, offer: str, before: Joined | None) -> Joined:
        if before is not None:
            await before.leave()
        if len(self.peers) >= self.places:
            raise FullError("there is no room")
        peer = open_peer(HERE)
        self.peers.append(peer)

        @peer.on("datachannel")
        def opened(channel: Any) -> None:
            channel.on("message", self.said.append)

        async def leave() -> None:
            self.peers.remove(peer)
            await close_peer(peer)

        if self.slow is not None:
            await self.slow.wait()
        joined = Joined(await answer(peer, offer, HERE, ("application",)), leave)
        on_connected(peer, lambda: self.signalling.connected(joined))
        return joined


HOST = web.AppKey("host", Host)


@web.middleware
async def lossy(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """The host does what it is asked, and says it to nobody."""
    response = await handler(request)
    if request.app[HOST].lose_answer:
        request.app[HOST].lose_answer = False
        assert request.transport is not None
        request.transport.abort()
    return response


@asynccontextmanager
async def hosting(host: Host) -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application(middlewares=[lossy])
    app[HOST] = host
    app.add_routes(host.signalling.routes)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as http:
        yield http
    for peer in host.peers:
        await close_peer(peer)
    await runner.cleanup()


async def until(reached: Any) -> None:
    while True:
        if reached():
            return
        await asyncio.sleep(0.02)
