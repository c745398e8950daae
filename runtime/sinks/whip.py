"""The avatar pushed to a media server by WHIP: LiveKit, MediaMTX, Cloudflare and others take it from there."""

import asyncio
import logging
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from models.errors import AgentError, InputError
from runtime.clock import Clock
from runtime.event_loops import end_loop
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.sinks.on_air import OnAir
from runtime.sound import Sound
from runtime.transports.description import DescriptionError
from runtime.transports.ice import ANYWHERE, LOOPBACK, IcePolicy, is_local, policy_for
from runtime.transports.joining import RefusedError, Session, post_offer
from runtime.transports.peer import close_peer, open_peer
from runtime.transports.viewer import Viewer

logger = logging.getLogger(__name__)

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 8.0
_OPENING_S, _CLOSING_S = 15.0, 5.0


class Whip:
    """Feeds one server from a loop of its own; a server that goes is offered the avatar again until it takes it."""

    shows = True

    def __init__(
        self,
        url: str,
        size: tuple[int, int],
        fps: int,
        *,
        bearer: str,
        policy: IcePolicy,
        sound: bool,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """Waits for the server's first answer.

        Raises InputError when it refuses, AgentError when it does not answer.
        """
        self.name = f"whip:{urlsplit(url).netloc}"
        self._target, self._bearer, self._policy, self._clock = url, bearer, policy, clock
        if bearer and urlsplit(url).scheme == "http" and not is_local(urlsplit(url).hostname or ""):
            logger.warning("%s: the token goes there unencrypted; give an https URL", self.name)
        self._on_air = OnAir(self.name, size, fps, sound=sound, clock=clock, metrics=metrics)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=self.name, daemon=True)
        self._thread.start()
        self._serving: asyncio.Task[None] | None = None
        try:
            self._do(self._open(), _OPENING_S)
        except BaseException:
            self._end()
            raise

    @property
    def url(self) -> str:
        """Where it goes."""
        return self._target

    @property
    def underruns(self) -> int:
        """How often there was no sound to send."""
        return self._on_air.underruns

    def send(self, picture: Picture) -> None:
        """Sends one picture. Raises AgentError if sending sound failed."""
        self._on_air.send(picture)

    def hear(self, sound: Sound) -> None:
        """Takes the next block of sound."""
        self._on_air.hear(sound)

    def close(self, complete: bool = True) -> None:
        """Takes leave of the server. May be called twice."""
        if self._thread.is_alive():
            with suppress(TimeoutError):
                self._do(self._leave(), _CLOSING_S)
            self._end()

    def _do(self, work: Coroutine[None, None, None], patience_s: float) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(patience_s)

    def _end(self) -> None:
        self._on_air.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        end_loop(self._loop)

    async def _open(self) -> None:
        self._http = aiohttp.ClientSession()
        try:
            push = await self._offer()
        except BaseException:
            await self._http.close()
            raise
        self._serving = self._loop.create_task(self._serve(push))

    async def _leave(self) -> None:
        assert self._serving is not None
        self._serving.cancel()
        with suppress(asyncio.CancelledError):
            await self._serving
        await self._http.close()

    async def _serve(self, push: "_Push") -> None:
        """Keeps the server fed until it is cancelled."""
        while True:
            try:
                await push.over.wait()
            finally:
                await push.session.leave()
                await push.viewer.leave()
            logger.warning("%s is gone: the run goes on; offering again", self.name)
            push = await self._offer_again()
            logger.warning("%s is back", self.name)

    async def _offer_again(self) -> "_Push":
        wait_s = _FIRST_WAIT_S
        while True:
            await asyncio.sleep(wait_s)
            try:
                return await self._offer()
            except Exception as error:
                if not isinstance(error, AgentError):  # whatever it answers, it may do better next time
                    logger.warning("%s cannot be taken up again: %s: %s", self.name, type(error).__name__, error)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _offer(self) -> "_Push":
        """Raises RefusedError and AgentError."""
        over = asyncio.Event()
        viewer = Viewer(open_peer(self._policy), self._on_air.broadcast, self._on_air.rates_bps, self._clock)
        viewer.offer_media(self._on_air.sound)
        try:
            session = await post_offer(self._http, self._target, viewer.peer, self._policy, self._bearer)
            viewer.check()
        except DescriptionError as error:
            await close_peer(viewer.peer)
            raise RefusedError(f"{self._target} answers with what cannot be used: {error}") from error
        except BaseException:
            await close_peer(viewer.peer)
            raise
        viewer.begin(over.set)
        return _Push(session, viewer, over)


@dataclass(frozen=True, slots=True)
class _Push:
    """What the server was offered and has taken."""

    session: Session
    viewer: Viewer
    over: asyncio.Event
    """Set when it is."""


def whip_policy(url: str, servers: Sequence[str], user: str, password: str, relayed: bool = False) -> IcePolicy:
    """The policy of a push to `url`: to a server on this machine, nothing leaves it. Raises InputError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"--output whip:{url}: give whip: and the server's URL, as in whip:https://HOST/whip")
    host = LOOPBACK if is_local(parts.hostname) else ANYWHERE
    return policy_for(host, servers, user, password, relayed)
