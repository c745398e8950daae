"""Calling: an end that joins another's link, and comes back to it when the network changes."""

import asyncio
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp

from models.errors import AgentError
from runtime.clock import Clock
from runtime.event_loops import end_loop, run_in
from runtime.transports.call_host import Host, Myself
from runtime.transports.call_peer import CallPeer, LostError
from runtime.transports.ice import LOOPBACK, IcePolicy
from runtime.transports.joining import RefusedError, UnansweredError, is_answered, join
from runtime.transports.line import Line
from runtime.transports.links import Link, parse_link
from runtime.transports.peer import make_certificate

PATH = "/call"
"""Where the links of calls are joined."""
VIEWERS_PATH = "/whep"
"""Where the links of pages to watch are joined."""
RESUME_S = 30.0
"""For so long an end that was lost may come back."""

_AGAIN_S = 0.5
_GOODBYE_S = 2.0


class Caller:
    """Joins from a thread of its own, and stays until either end hangs up."""

    def __init__(
        self,
        link: str,
        policy_at: Callable[[str], IcePolicy],
        line: Line,
        myself: Myself,
        host: Host,
        clock: Clock,
        said: Callable[[str], None],
        over: Callable[[str | AgentError], None],
    ) -> None:
        """`policy_at`: the policy of a peer at an address of this machine. `said` hears what the user should know;
        `over` hears once how the call ended.

        Raises InputError: a link that is none, or what `policy_at` does.
        """
        policy_at(LOOPBACK)
        self._link, self._policy_at, self._line = parse_link(link), policy_at, line
        self._myself, self._host, self._clock = myself, host, clock
        self._said, self._over = said, over
        self._certificate = make_certificate()  # with which the link is tried: its proof may be told again
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="call", daemon=True)
        self._task: asyncio.Task[str] | None = None
        self._talking: CallPeer | None = None
        self._thread.start()

    def close(self, reason: str) -> None:
        """Hangs up. May be called twice, and when the call has ended."""
        run_in(self._loop, self._hang_up(reason))
        self._thread.join()

    async def _hang_up(self, reason: str) -> None:
        if self._task is None:
            return
        if self._talking is not None:
            await self._talking.hang_up(reason)
            await asyncio.wait([self._task], timeout=_GOODBYE_S)
        self._task.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._task = self._loop.create_task(self._call())
            ending: str | AgentError = self._loop.run_until_complete(self._task)
        except AgentError as error:
            ending = error
        except asyncio.CancelledError:
            ending = "hung up"
        except Exception as error:
            ending = AgentError(f"the call failed: {type(error).__name__}: {error}")
        end_loop(self._loop)
        self._over(ending)

    async def _call(self) -> str:
        """Raises AgentError."""
        link = self._link
        lost_s: float | None = None  # when it was lost that was there last, or the first answer
        async with aiohttp.ClientSession() as http:
            while True:
                is_first = link is self._link
                try:
                    peer, link = await self._join(http, link)
                except RefusedError:
                    raise
                except AgentError as error:
                    if lost_s is None and isinstance(error, UnansweredError):
                        lost_s = self._loop.time()
                        self._said(f"{error}: trying again")
                    if lost_s is None or self._loop.time() - lost_s > RESUME_S:
                        raise
                    await asyncio.sleep(_AGAIN_S)
                    continue
                lost_s = None if is_first else lost_s
                back = None if lost_s is None else self._loop.create_task(self._come_back(peer))
                self._line.connect(peer)
                self._talking = peer
                try:
                    return await peer.run()
                except LostError as error:
                    if lost_s is None or peer.met.is_set():
                        lost_s = self._loop.time()
                    if self._loop.time() - lost_s > RESUME_S:
                        raise
                    self._said(f"{error}: trying to come back")
                    self._host.lost()
                finally:
                    self._talking = None
                    if back is not None:
                        back.cancel()

    async def _come_back(self, peer: CallPeer) -> None:
        await peer.met.wait()
        self._said("the call is back")

    async def _join(self, http: aiohttp.ClientSession, link: Link) -> tuple[CallPeer, Link]:
        """A connection, and the link to come back with."""
        policy = own_policy(link.base, self._policy_at)
        certificate = self._certificate if link is self._link else None
        peer = CallPeer(policy, self._myself, self._host, self._clock, certificate)
        try:
            session = await join(http, link, PATH, peer.peer, policy)
        except RefusedError:
            await peer.free()
            if await is_answered(http, link.base + VIEWERS_PATH):
                raise RefusedError(f"{link.base} is a viewer's link, not a call's: open it in a browser") from None
            raise
        except BaseException:
            await peer.free()
            raise
        assert session.resume is not None
        return peer, session.resume


def own_policy(base: str, policy_at: Callable[[str], IcePolicy]) -> IcePolicy:
    """Of a caller: that of the address from which the other end is reached.

    Raises AgentError where there is no way there.
    """
    parts = urlsplit(base)
    try:
        family, kind, _, _, address = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # sends nothing
            return policy_at(str(probe.getsockname()[0]))
    except OSError as error:
        raise AgentError(f"{base} cannot be reached: {error.strerror or error}") from None
