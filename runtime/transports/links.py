"""Links that let somebody join, once and for a while, and the proof of having one.

A link is `http://HOST:PORT/#token=SECRET`: what stands behind # stays in the browser and is in no server's log. It is
good for `uses` joins until it expires. Every join yields a resume token, with which the same guest, and only it, may
come back after its network changed.

A guest shows the secret itself (`Authorization: Bearer SECRET`, what browsers and OBS can do), or, better, that it has
it (`Authorization: Proof MAC`): the MAC covers the DTLS fingerprint of its offer, and the host's answer carries one of
its own, so that nobody between the two can take either one's place.
"""

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

from models.errors import InputError
from runtime.clock import Clock
from runtime.transports.description import fingerprints

BEARER, PROOF = "Bearer", "Proof"

_SECRET_BYTES = 24


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


def prove(secret: str, side: Literal["guest", "host"], text: str) -> str:
    """The proof, by a side whose offer or answer `text` is, that it knows `secret`."""
    return _mac(secret, side, *fingerprints(text))


def resume_token(secret: str, offer: str, answer: str) -> str:
    """With what the guest of this offer and answer may come back; both ends know it without sending it."""
    return _mac(secret, "resume", *fingerprints(offer), "|", *fingerprints(answer))


def proves(proof: str, secret: str, side: Literal["guest", "host"], text: str) -> bool:
    """Whether `proof` is right."""
    return _equal(proof, prove(secret, side, text))


class Invitation:
    """The host's side of a link. One thread uses it."""

    def __init__(self, clock: Clock, lifetime_s: float, uses: int, places: int) -> None:
        """`uses`: how many may join with the link; `places`: how many guests can come back, the newest."""
        self._clock, self._lifetime_ns, self._all_uses, self._places = clock, round(lifetime_s * 1e9), uses, places
        self.renew()

    def renew(self) -> None:
        """Makes a new link of it: neither the old one nor anybody who came by it is good any more."""
        self.secret = secrets.token_urlsafe(_SECRET_BYTES)
        self._expires_ns = self._clock.now_ns() + self._lifetime_ns
        self._uses = self._all_uses
        self._resuming: list[str] = []

    @property
    def open(self) -> bool:
        """Whether somebody new may join."""
        return self._uses > 0 and self._clock.now_ns() < self._expires_ns

    def secret_of(self, authorization: str, offer: str) -> str | None:
        """Which secret an `Authorization` header with this offer shows or proves; None: none that is good now."""
        scheme, _, told = authorization.partition(" ")
        known = [*self._resuming, *([self.secret] if self.open else [])]
        if scheme == BEARER:
            return next((secret for secret in known if _equal(told, secret)), None)
        if scheme == PROOF:
            return next((secret for secret in known if proves(told, secret, "guest", offer)), None)
        return None

    def joined(self, secret: str, offer: str, answer: str) -> str:
        """Uses up what `secret_of` gave, and returns the token with which this guest may come back."""
        if secret in self._resuming:
            self._resuming.remove(secret)
        else:
            self._uses -= 1
        token = resume_token(secret, offer, answer)
        self._resuming = [*self._resuming, token][-self._places :]
        return token


def _mac(secret: str, *parts: str) -> str:
    return hmac.new(secret.encode(), "\n".join(parts).encode(), sha256).hexdigest()


def _equal(told: str, known: str) -> bool:
    return secrets.compare_digest(told.encode("utf-8", "surrogateescape"), known.encode())
