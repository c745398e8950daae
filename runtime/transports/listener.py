"""Being called: an end that prints a link for one caller at a time, which is a page in a browser."""

import asyncio
from collections.abc import Callable

from models.errors import AgentError
from runtime.avatar_page import CALL_PAGE, call_routes
from runtime.clock import Clock
from runtime.event_loops import run_in
from runtime.page_server import PageServer
from runtime.transports.call_host import Host, Myself
from runtime.transports.call_peer import KINDS, CallPeer, LostError
from runtime.transports.caller import PATH, RESUME_S
from runtime.transports.ice import IcePolicy
from runtime.transports.invitation import Invitation
from runtime.transports.line import Line
from runtime.transports.links import Link, base_for_others
from runtime.transports.peer import answer, on_connected
from runtime.transports.signalling import Joined, Signalling

LIFETIME_S = 3600.0
"""For so long a link is good."""
PORT = 8785


class Listener:
    """Answers callers from the thread of a server. A link is good for one; who hung up needs a new one."""

    def __init__(
        self,
        host: str,
        port: int | None,
        policy_at: Callable[[str], IcePolicy],
        line: Line,
        myself: Myself,
        me: Host,
        clock: Clock,
        said: Callable[[str], None],
        left: Callable[[str | AgentError], None],
        public: str = "",
    ) -> None:
        """Listens at an address of this machine, of which `policy_at` is the policy.

        `port` None takes `PORT` or one of those that follow, 0 any. `said` hears what the user should know; `left`
        hears how each call ended; `public` is the origin of a proxy before it. Raises InputError.
        """
        self._line = line
        self._host, self._public, self._policy = host, public, policy_at(host)
        self._myself, self._me, self._clock = myself, me, clock
        self._said, self._left = said, left
        self._invitation = Invitation(clock, LIFETIME_S, places=1)
        self._signalling = Signalling(
            PATH, self._invitation, self._join, policy=self._policy, kinds=KINDS, clock=clock, public=public
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None  # once somebody has called
        self._server = PageServer(
            "call",
            CALL_PAGE,
            "Call",
            PORT if port is None else port,
            [*self._signalling.routes, *call_routes()],
            no_other_port=port is not None,
            host=host,
            public=public,
            may_change=self._signalling.is_asked,
            beside=lambda: self._invitation.keep(self._expired),
        )
        self._server.start()

    @property
    def link(self) -> Link:
        """What the next caller needs."""
        base = base_for_others(self._server.url, self._host, self._public)
        return Link(base, self._invitation.secret, self._myself.name)

    @property
    def invitation(self) -> str:
        """The link, and what to do with it, for the user."""
        return f"for one caller, within an hour, to open in a browser or: agent call '{self.link}' --portrait THEIRS"

    def close(self, reason: str) -> None:
        """Hangs up and listens no more. May be called twice."""
        self._line.hang_up(reason)
        if self._loop is not None:
            run_in(self._loop, self._cancel())
        self._server.close()

    def _expired(self) -> None:
        self._said(f"nobody has used the link, and it has expired; {self.invitation}")

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _join(self, offer: str, _: Joined | None) -> Joined:
        peer = CallPeer(self._policy, self._myself, self._me, self._clock)
        try:
            text = await answer(peer.peer, offer, self._policy, KINDS)
        except BaseException:
            await peer.free()
            raise
        if (before := self._line.peer) is not None:
            before.drop()
        self._line.connect(peer)
        joined = Joined(text, lambda: peer.hang_up("hung up"))
        on_connected(peer.peer, lambda: self._signalling.connected(joined))
        self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(self._serve(peer, joined))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return joined

    async def _serve(self, peer: CallPeer, joined: Joined) -> None:
        ending: str | AgentError
        try:
            ending = await peer.run()
        except LostError as error:
            if self._line.peer is peer and not self._invitation.is_used:
                self._signalling.ended(joined)
                self._said(f"somebody has joined, but no connection came about: the link stays good {self.invitation}")
                return
            if self._line.peer is peer:
                who = peer.their_name or "the other end"
                self._said(f"{error}: {who} may come back for {RESUME_S:.0f} s, until when nobody else gets in")
                self._me.lost()
                await asyncio.sleep(RESUME_S)
            ending = error
        except AgentError as error:
            ending = error
        self._signalling.ended(joined)
        if self._line.peer is peer:
            self._invitation.renew()
            self._left(ending)
