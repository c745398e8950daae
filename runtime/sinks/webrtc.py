"""A web page where browsers see and hear the avatar by WebRTC; other players join the same way, by WHEP."""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from aiohttp import web

from runtime.avatar_page import joining_routes
from runtime.clock import Clock
from runtime.metrics import Metrics
from runtime.page_server import HEADERS, PageServer
from runtime.picture import Picture
from runtime.sinks.on_air import OnAir
from runtime.sound import Sound
from runtime.transports.caller import VIEWERS_PATH
from runtime.transports.ice import LOOPBACK, IcePolicy
from runtime.transports.invitation import Invitation
from runtime.transports.links import Link, base_for_others
from runtime.transports.peer import answer, close_peer, on_connected, open_peer
from runtime.transports.signalling import FullError, Joined, Signalling
from runtime.transports.viewer import Viewer

PORT = 8790
"""The first that is tried where none is wished for."""
PATH = VIEWERS_PATH

_PAGE = Path(__file__).with_name("page") / "webrtc.html"
_KINDS = ("audio", "video")
_TITLE = "Avatar"
_LINK_S = 3600.0
_NEWS_S = 1.0


class WebRtc:
    """Serves the page at `/` and WHEP at `/whep`; at most `viewers` watch at a time.

    The link lets one viewer in, which then may come back; there is another one as soon as it is used up or expires.
    The page is told once a second what there is to know (`/whep/SESSION/news`, a line of JSON each), and when the run
    has ended.
    """

    name: ClassVar[str] = "webrtc"
    shows: ClassVar[bool] = True

    def __init__(
        self,
        size: tuple[int, int],
        fps: int,
        *,
        host: str = LOOPBACK,
        port: int | None = None,
        policy: IcePolicy,
        viewers: int,
        sound: bool,
        status: Callable[[], Mapping[str, object]],
        say: Callable[[str], None],
        clock: Clock,
        metrics: Metrics,
        token: str = "",
        public: str = "",
    ) -> None:
        """Starts to serve. `port` None: 8790 or one of the next 20; 0: any free one. `status` is called in the
        server's thread and must not block; of what it returns, viewers learn `who`. `say` hears of every link after
        the first. With `token` as bearer, if there is one, players join as often as they like. `public` is the
        origin of a proxy before it.

        Raises InputError when the port is taken or the address is not this machine's.
        """
        self._policy, self._places, self._status, self._say, self._clock = policy, viewers, status, say, clock
        self._on_air = OnAir(self.name, size, fps, sound=sound, clock=clock, metrics=metrics)
        self._viewers: list[Viewer] = []
        self._invitation = Invitation(clock, _LINK_S, viewers, self._used, token)
        self._signalling = Signalling(
            PATH, self._invitation, self._join, policy=policy, kinds=_KINDS, clock=clock, public=public
        )
        self._host, self._public = host, public
        try:
            self._server = PageServer(
                self.name,
                _PAGE,
                _TITLE,  # who it is, only those learn who are let in
                PORT if port is None else port,
                [*self._signalling.routes, *joining_routes(), web.get(f"{PATH}/{{session}}/news", self._news)],
                no_other_port=bool(port),
                host=host,
                public=public,
                may_change=self._signalling.is_asked,
                at_end=self._say_goodbye,
                beside=lambda: self._invitation.keep(self._expired),
            )
        except BaseException:
            self._on_air.close()
            raise
        self._server.start()

    @property
    def url(self) -> str:
        """The link by which the next viewer joins."""
        return str(Link(base_for_others(self._server.url, self._host, self._public), self._invitation.secret))

    @property
    def viewers(self) -> int:
        """How many are there, or on their way."""
        return len(self._viewers)

    @property
    def encoders_opened(self) -> int:
        """Encoders made so far."""
        return self._on_air.broadcast.encoders_opened

    @property
    def underruns(self) -> int:
        """How often there was no sound to send."""
        return self._on_air.underruns

    def send(self, picture: Picture) -> None:
        """Shows one picture to whoever watches. Raises AgentError if sending sound failed."""
        self._on_air.send(picture)

    def hear(self, sound: Sound) -> None:
        """Takes the next block of sound."""
        self._on_air.hear(sound)

    def close(self, complete: bool = True) -> None:
        """Says goodbye to all viewers and frees the port. May be called twice."""
        self._server.close()
        self._on_air.close()

    def _used(self) -> None:
        self._invitation.next_link()
        self._say(f"{self.name}: somebody watches; for the next viewer: {self.url}")

    def _expired(self) -> None:
        self._say(f"{self.name}: nobody has used the link, and it has expired; the next: {self.url}")

    async def _join(self, offer: str, before: Joined | None) -> Joined:
        if self._server.closing:
            raise FullError("the avatar has left")
        if before is not None:
            await before.leave()
        if len(self._viewers) >= self._places:
            raise FullError(f"all {self._places} places are taken: try again later")
        viewer = Viewer(open_peer(self._policy), self._on_air.broadcast, self._on_air.rates_bps, self._clock)
        self._viewers.append(viewer)
        try:
            furnish = partial(viewer.answer_media, self._on_air.sound)
            joined = Joined(await answer(viewer.peer, offer, self._policy, _KINDS, furnish), viewer.leave, viewer)
            viewer.check()
        except BaseException:
            self._viewers.remove(viewer)
            await close_peer(viewer.peer)
            raise
        on_connected(viewer.peer, lambda: self._signalling.connected(joined))
        viewer.begin(lambda: self._ended(viewer, joined))
        return joined

    def _ended(self, viewer: Viewer, joined: Joined) -> None:
        self._viewers.remove(viewer)
        self._signalling.ended(joined)

    async def _say_goodbye(self) -> None:
        await asyncio.gather(*(viewer.leave() for viewer in list(self._viewers)))

    async def _news(self, request: web.Request) -> web.StreamResponse:
        joined = self._signalling.session(request.match_info["session"])
        if joined is None or not isinstance(joined.guest, Viewer):
            raise web.HTTPNotFound(text="There is no such session.", headers=HEADERS)
        response = web.StreamResponse(headers=HEADERS)
        response.content_type = "application/x-ndjson"
        await response.prepare(request)
        try:
            while not self._server.closing and joined.guest in self._viewers:
                await response.write(_line(self._figures(joined.guest)))
                changed = self._server.changed
                with_patience = asyncio.wait_for(changed.wait(), _NEWS_S)
                try:
                    await with_patience
                except TimeoutError:
                    continue
            await response.write(_line({"ended": self._server.closing}))
        except ConnectionError:
            pass  # the viewer has gone
        return response

    def _figures(self, viewer: Viewer) -> dict[str, object]:
        return {
            "title": self._status().get("who") or _TITLE,
            "viewers": len(self._viewers),
            "age_ms": self._on_air.age_ms,
            "rate_bps": viewer.rate_bps,
            "full_rate": viewer.rate_bps == self._on_air.rates_bps[0],
            "waiting_ms": viewer.waiting_ns / 1e6,
            "encoders": self.encoders_opened,
        }


def _line(values: Mapping[str, object]) -> bytes:
    return json.dumps(values).encode() + b"\n"
