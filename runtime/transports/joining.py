"""The guest's side of joining: an offer is posted, the answer taken (WHEP, WHIP, and our own links).

    async with aiohttp.ClientSession() as http:
        session = await join(http, parse_link(text), "/whep", peer, policy)      our link: proofs both ways
        session = await post_offer(http, url, peer, policy, bearer)              any WHIP or WHEP server
        ...
        await session.leave()                                                    DELETE, the peer closed
        session.resume                                                           the link to come back with

Refusals are AgentErrors whose one line says what the server said.
"""

import os
import socket
from dataclasses import dataclass
from urllib.parse import urljoin

import aiohttp
from aiortc import RTCPeerConnection

from models.errors import AgentError, InputError
from runtime.transports.description import MAX_BYTES
from runtime.transports.ice import IcePolicy
from runtime.transports.links import BEARER, PROOF, Link, prove, proves, resume_token
from runtime.transports.peer import accept, close_peer, offer
from runtime.transports.signalling import PROOF_HEADER, SDP

_PATIENCE = aiohttp.ClientTimeout(total=10, connect=5)
_UNREACHED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_UNANSWERED = (TimeoutError, aiohttp.ClientOSError, aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)
_SAID = 200  # characters of what a server says against us


class UnansweredError(AgentError):
    """The other end was reached, and may have answered; its answer is lost."""


class RefusedError(InputError):
    """The other end said no, and will again: a wrong token, a link that is used up, an offer that it cannot use."""


@dataclass(frozen=True, slots=True)
class Session:
    """A peer that has joined, and is connecting."""

    http: aiohttp.ClientSession
    peer: RTCPeerConnection
    location: str | None
    """URL of the session; None where the server named none."""
    resume: Link | None
    """The link to come back with; the next one comes with that. None where the server is no agent."""

    async def leave(self) -> None:
        """Says goodbye and frees the peer."""
        if self.location is not None:
            try:
                async with self.http.delete(self.location, timeout=_PATIENCE):
                    pass
            except (aiohttp.ClientError, TimeoutError):
                pass  # it has gone before us
        await close_peer(self.peer)


async def join(
    http: aiohttp.ClientSession, link: Link, path: str, peer: RTCPeerConnection, policy: IcePolicy
) -> Session:
    """Joins the agent behind a link, each end proving to the other that it knows the secret.

    Raises:
        RefusedError: the link is used up, expired or wrong, or the answer comes from somebody else.
        UnansweredError: the answer is lost; another offer of a peer with the same certificate may be answered.
        AgentError: nobody is there, or there is no room.
    """
    text = await offer(peer, policy)
    authorization = f"{PROOF} {prove(link.secret, 'guest', text)}"
    answer, location, proof = await _post(http, link.base + path, text, authorization, "agent")
    if not proves(proof, link.secret, "host", answer):
        raise RefusedError(f"the answer of {link.base} does not come from whoever made the link")
    await accept(peer, answer, policy)
    return Session(http, peer, location, Link(link.base, resume_token(link.secret, text, answer)))


async def is_answered(http: aiohttp.ClientSession, url: str) -> bool:
    """Whether guests are answered there by an agent."""
    try:
        async with http.options(url, timeout=_PATIENCE) as response:
            return response.ok and "POST" in response.headers.get("Allow", "")
    except (aiohttp.ClientError, TimeoutError):
        return False


async def post_offer(
    http: aiohttp.ClientSession, url: str, peer: RTCPeerConnection, policy: IcePolicy, bearer: str = ""
) -> Session:
    """Offers to a WHIP or WHEP server. Raises RefusedError and AgentError as `join` does."""
    text = await offer(peer, policy)
    answer, location, _ = await _post(http, url, text, f"{BEARER} {bearer}" if bearer else "", "WHIP server")
    await accept(peer, answer, policy)
    return Session(http, peer, location, None)


async def _post(
    http: aiohttp.ClientSession, url: str, text: str, authorization: str, kind: str
) -> tuple[str, str | None, str]:
    """Answer, URL of the session, proof; of a server of some kind."""
    headers = {"Content-Type": SDP} | ({"Authorization": authorization} if authorization else {})
    try:
        async with http.post(url, data=text.encode(), headers=headers, timeout=_PATIENCE, max_redirects=3) as response:
            body = await _body(response)
            if response.status != 201:
                if response.ok:
                    raise RefusedError(f"{url} is no {kind}: it answers {response.status} in place of 201")
                refused = 400 <= response.status < 500 and response.status != 429
                said = _said(body, response).rstrip(".")
                raise (RefusedError if refused else AgentError)(f"{url} refuses ({response.status}): {said}")
            location = response.headers.get("Location")
            session = None if location is None else urljoin(str(response.url), location)
            return body, session, response.headers.get(PROOF_HEADER, "")
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        lost = isinstance(error, _UNANSWERED) and not isinstance(error, _UNREACHED)
        raise (UnansweredError if lost else AgentError)(f"{url} does not answer: {_reason(error)}") from error


def _said(body: str, response: aiohttp.ClientResponse) -> str:
    """Why a server refuses, in one line for a terminal: of a web page, the status alone."""
    told = body if response.content_type != "text/html" else ""
    printable = "".join(filter(str.isprintable, " ".join(told.split())))[:_SAID]
    return printable or "".join(filter(str.isprintable, response.reason or "")) or "no reason given"


def _reason(error: Exception) -> str:
    """In words for people: the client's own name its settings."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted ({error.certificate_error})"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "it speaks no TLS there: try http in place of https"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        unknown = isinstance(error.os_error, socket.gaierror) and error.os_error.errno == socket.EAI_NONAME
        return "there is no such name" if unknown else "its name cannot be looked up now"
    if isinstance(error, aiohttp.ClientConnectorError):
        return os.strerror(error.errno).lower() if error.errno else str(error.strerror)
    return str(error) or "it took too long"


async def _body(response: aiohttp.ClientResponse) -> str:
    body = await response.content.read(MAX_BYTES + 1)
    while len(body) <= MAX_BYTES and (more := await response.content.read(MAX_BYTES)):
        body += more
    if len(body) > MAX_BYTES:
        raise AgentError(f"the answer of {response.url} is too large")
    return body.decode("utf-8", "replace")
