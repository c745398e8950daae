"""Links that let somebody join, and the proof of having one.

A link is `http://HOST:PORT/#token=SECRET`: what stands behind # stays in the browser and is in no server's log.
`runtime.transports.invitation` says for whom and how long it is good.

A guest shows that it has the secret (`Authorization: Proof MAC`), or, where it cannot, the secret itself
(`Authorization: Bearer SECRET`, what players can do): the MAC covers the DTLS fingerprint of its offer, and the host's
answer carries one of its own, so that nobody between the two can take either one's place.
"""

import hmac
import secrets
import socket
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

from models.errors import InputError
from runtime.transports.description import fingerprints
from runtime.transports.ice import ANYWHERE, LOOPBACK

BEARER, PROOF = "Bearer", "Proof"

_ELSEWHERE = ("192.0.2.1", 9)  # documentation's: nobody has it


@dataclass(frozen=True, slots=True)
class Link:
    """Where to join, and with what."""

    base: str
    """http://HOST:PORT or https://..., without a slash at the end."""
    secret: str
    """Of whoever may join."""
    name: str = ""
    """Who invites: for a page to say before anything is asked of the host; an agent passes it over."""

    def __str__(self) -> str:
        name = f"&name={quote(self.name, safe='')}" if self.name else ""
        return f"{self.base}/#token={self.secret}{name}"


def parse_link(text: str) -> Link:
    """A link as it was printed. Raises InputError."""
    parts = urlsplit(text)
    found = parse_qs(parts.fragment).get("token", [])
    if parts.scheme not in ("http", "https") or not parts.hostname or len(found) != 1:
        raise InputError(f"{text} is no link of an agent: give the whole of what it printed, http://...#token=...")
    return Link(f"{parts.scheme}://{parts.netloc}", found[0])


def public_origin(option: str, url: str) -> str:
    """The origin that an option names; "" is none. Raises InputError for what is none, or no https."""
    parts = urlsplit(url)
    if url and (parts.scheme != "https" or not parts.netloc or "@" in parts.netloc or url.rstrip("/").count("/") != 2):
        raise InputError(f"{option} {url}: give what the proxy is reached by, as in https://avatar.example.org")
    return f"https://{parts.netloc.lower().removesuffix(':443')}" if url else ""


def base_for_others(url: str, host: str, public: str = "") -> str:
    """The base of links to a server at `url` that listens at `host`: its `public` origin, if it has one; where it
    listens everywhere, by which address others most likely reach this machine.
    """
    if public:
        return public
    base = url.rstrip("/")
    return base.replace(LOOPBACK, _own_address()) if host == ANYWHERE else base


def prove(secret: str, side: Literal["guest", "host"], text: str) -> str:
    """The proof, by a side whose offer or answer `text` is, that it knows `secret`."""
    return _mac(secret, side, *fingerprints(text))


def resume_token(secret: str, offer: str, answer: str) -> str:
    """With what the guest of this offer and answer may come back; both ends know it without sending it."""
    return _mac(secret, "resume", *fingerprints(offer), "|", *fingerprints(answer))


def proves(proof: str, secret: str, side: Literal["guest", "host"], text: str) -> bool:
    """Whether `proof` is right."""
    return same(proof, prove(secret, side, text))


def same(told: str, known: str) -> bool:
    """Whether somebody told us what we know, found out in a time that does not depend on it."""
    return secrets.compare_digest(told.encode("utf-8", "surrogateescape"), known.encode())


def _mac(secret: str, *parts: str) -> str:
    return hmac.new(secret.encode(), "\n".join(parts).encode(), sha256).hexdigest()


def _own_address() -> str:
    """The loopback's without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)  # sends nothing
        except OSError:
            return LOOPBACK
        return str(probe.getsockname()[0])
