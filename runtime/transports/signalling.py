"""Offer in, answer out: the host's side of joining, over HTTP as WHEP has it.

POST an offer (application/sdp) with the `Authorization` of `links`: 201, the answer, and in `Location` what DELETE ends
the session with. A guest that showed its secret finds the token to come back with in `X-Resume-Token`; one that proved
it works that out (`links.resume_token`), and holds the host's `X-Proof` against the answer. No candidates are sent
later: offers come complete, by the help of the STUN servers that OPTIONS tells: `Link: <stun:...>; rel="ice-server"`.

    signalling = Signalling("/whep", invitation, join, policy=policy, kinds=("audio", "video"), clock=clock)
    PageServer(..., routes=[*signalling.routes, ...], may_change=signalling.is_asked)

Everything runs in the server's loop. `join` makes the peer: it may raise `FullError`, or an AgentError, whose one line
the guest gets. The host says when a guest is `connected`, and when its session has `ended`.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from aiohttp import web

from models.errors import AgentError
from runtime.clock import Clock
from runtime.page_server import HEADERS
from runtime.transports.attempts import Attempts
from runtime.transports.description import MAX_BYTES, DescriptionError, read_description
from runtime.transports.ice import IcePolicy
from runtime.transports.invitation import HeldError, Invitation
from runtime.transports.links import BEARER, PROOF, prove

logger = logging.getLogger(__name__)

SDP = "application/sdp"
RESUME_HEADER, PROOF_HEADER = "X-Resume-Token", "X-Proof"

_BODY_S = 5.0
_BURST = 12  # attempts at once ...
_EVERY_NS = 500_000_000  # ... and one more each half second


class FullError(AgentError):
    """There is no room for another guest."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A guest whose offer was answered."""

    answer: str
    """SDP."""
    leave: Callable[[], Awaitable[None]]
    """Ends the session; may be called when it has ended."""
    guest: object = None
    """What the host knows it by."""


Join = Callable[[str, Joined | None], Awaitable[Joined]]
"""The guest's offer, which can be read, and its session before, if that has not ended, -> the session that takes its
place."""


class Signalling:
    """The routes by which guests join and leave."""

    def __init__(
        self,
        path: str,
        invitation: Invitation,
        join: Join,
        *,
        policy: IcePolicy,
        kinds: Collection[str],
        clock: Clock,
        public: str = "",
    ) -> None:
        """`kinds`: what offers may hold, of audio, video and application; `public` as for `PageServer`."""
        self._path, self._invitation, self._join = path, invitation, join
        self._policy, self._kinds, self._public = policy, kinds, public
        self._attempts = Attempts(clock, _BURST, _EVERY_NS)  # of whoever proves nothing before the offer is read
        self._proven = Attempts(clock, _BURST, _EVERY_NS)  # of whoever has proved a secret: strangers use up none
        self._sessions: dict[str, tuple[Joined, str]] = {}  # with the tokens to come back with
        self.routes = [
            web.options(path, self._options),
            web.post(path, self._post),
            web.delete(f"{path}/{{session}}", self._delete),
        ]

    def is_asked(self, request: web.Request) -> bool:
        """Whether a request goes to these routes and comes from no other site's page."""
        origin = request.headers.get("Origin")
        own = (None, f"{request.scheme}://{request.host}", self._public or None)
        return request.path.startswith(self._path) and origin in own

    def session(self, name: str) -> Joined | None:
        """The session of that name, the last part of its `Location`."""
        joined, _ = self._sessions.get(name, (None, ""))
        return joined

    def connected(self, joined: Joined) -> None:
        """Its guest is there: a link that it came with is used up."""
        for other, token in self._sessions.values():
            if other is joined:
                self._invitation.connected(token)

    def ended(self, joined: Joined) -> None:
        """Forgets a session that has ended by itself."""
        for name, (other, token) in list(self._sessions.items()):
            if other is joined:
                del self._sessions[name]
                self._invitation.left(token)

    async def _options(self, _: web.Request) -> web.Response:
        servers = ", ".join(f'<{server}>; rel="ice-server"' for server in self._policy.for_browsers)
        return web.Response(headers={**HEADERS, "Allow": "OPTIONS, POST"} | ({"Link": servers} if servers else {}))

    async def _post(self, request: web.Request) -> web.Response:
        authorization = request.headers.get("Authorization", "")
        proves = authorization.startswith(f"{PROOF} ")
        if not proves:
            _allow(self._attempts)
        offer = await _offer(request)
        secret = self._taken(authorization, offer)
        try:
            if proves:
                _allow(self._proven)
            joined = await self._let_in(offer, self._last_session(secret))
        except BaseException:
            self._invitation.give_back(secret)
            raise
        shown = authorization.startswith(BEARER)
        resume = self._invitation.joined(secret, offer, joined.answer, shown)
        name = secrets.token_urlsafe(16)
        self._sessions[name] = joined, resume
        headers = {**HEADERS, "Location": f"{self._path}/{name}", PROOF_HEADER: prove(secret, "host", joined.answer)}
        if shown:
            headers[RESUME_HEADER] = resume
        return web.Response(status=201, text=joined.answer, content_type=SDP, headers=headers)

    def _taken(self, authorization: str, offer: str) -> str:
        try:
            secret = self._invitation.take(authorization, offer)
        except HeldError as error:
            raise _later(error) from None
        if secret is None:
            raise web.HTTPUnauthorized(
                text="This link is used up, expired or wrong: ask for a new one.",
                headers={**HEADERS, "WWW-Authenticate": BEARER},
            )
        return secret

    def _last_session(self, secret: str) -> Joined | None:
        token = self._invitation.last_token(secret)
        return next((joined for joined, other in self._sessions.values() if other == token), None)

    async def _let_in(self, offer: str, before: Joined | None) -> Joined:
        try:
            return await self._join(read_description(offer, self._policy, self._kinds), before)
        except DescriptionError as error:
            raise web.HTTPBadRequest(text=f"{error}.", headers=HEADERS) from None
        except AgentError as error:
            if not isinstance(error, FullError):
                logger.warning("somebody could not join: %s", error)
            raise _later(error) from None

    async def _delete(self, request: web.Request) -> web.Response:
        joined = self.session(request.match_info["session"])
        if joined is None:
            raise web.HTTPNotFound(text="There is no such session.", headers=HEADERS)
        self.ended(joined)
        await joined.leave()
        return web.Response(headers=HEADERS)


def _allow(attempts: Attempts) -> None:
    if not attempts.take():
        raise web.HTTPTooManyRequests(text="Too many attempts: wait a moment.", headers={**HEADERS, "Retry-After": "1"})


def _later(error: AgentError) -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(text=f"{error}.", headers={**HEADERS, "Retry-After": "5"})


async def _offer(request: web.Request) -> str:
    """The body of a request, within limits of size and time."""
    if request.content_type != SDP:
        raise web.HTTPUnsupportedMediaType(text=f"Send an offer as {SDP}.", headers=HEADERS)
    body = b""
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.content.iter_chunked(MAX_BYTES):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise web.HTTPRequestEntityTooLarge(MAX_BYTES, len(body), headers=HEADERS)
        return body.decode("utf-8")
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The offer took too long.", headers=HEADERS) from None
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text="The offer is no text.", headers=HEADERS) from None
