"""Who may join a host: the one who comes first with its link, and whoever was there and comes back.

The link is good for one guest, and expires if nobody comes; `keep` then puts another in its place. A guest comes back
with the token of its connection before (`links.resume_token`), any number of times: every time there is a new one. If
the answer that told it so was lost, the one before still proves who it is, to an offer that was not made before. What
was overheard is good for nothing: a proof belongs to one offer, and a secret that was shown is used up by it.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.clock import Clock
from runtime.transports.links import BEARER, PROOF, proves, resume_token, same

_SECRET_BYTES = 24
_MOST_PROOFS = 64  # of one token: then it is used up


@dataclass(slots=True)
class _Guest:
    """Somebody who has joined."""

    token: str
    """With what it may come back."""
    before: str = ""
    """With what it came back last, if it proved that."""
    proofs: dict[str, set[str]] = field(default_factory=dict)
    """That were taken, of either."""
    expires_ns: int | None = None
    """None while it is there."""


class Invitation:
    """The host's side of a link. One loop uses it."""

    def __init__(
        self,
        clock: Clock,
        lifetime_s: float,
        places: int,
        used: Callable[[], None] = lambda: None,
        standing: str = "",
    ) -> None:
        """
        Args:
            clock: of all that expires.
            lifetime_s: for so long a link is good if nobody uses it, and a guest may come back after it has gone.
            places: how many guests can come back; those who have gone are forgotten first.
            used: hears that somebody has joined with the link.
            standing: a secret that is good at any time, for players that know no other; "" is none.
        """
        self._clock, self._lifetime_ns, self._places = clock, round(lifetime_s * 1e9), places
        self._told_used, self._standing = used, standing
        self.renew()

    def renew(self) -> None:
        """Makes another link, and forgets all guests: they cannot come back."""
        self._guests: list[_Guest] = []
        self.next_link()

    def next_link(self) -> None:
        """Makes another link; the one before is good no more."""
        self.secret = secrets.token_urlsafe(_SECRET_BYTES)
        self._used = False
        self._expires_ns = self._clock.now_ns() + self._lifetime_ns

    async def keep(self, expired: Callable[[], None]) -> None:
        """Puts another link in the place of one that nobody has used in time, and so on; `expired` hears of each."""
        while True:
            await asyncio.sleep(max(0, self._expires_ns - self._clock.now_ns()) / 1e9)
            if self._clock.now_ns() < self._expires_ns:
                continue
            if self._used:
                self._expires_ns = self._clock.now_ns() + self._lifetime_ns
            else:
                self.next_link()
                expired()

    def take(self, authorization: str, offer: str) -> str | None:
        """Which secret an `Authorization` header with this offer shows or proves; None: none that is good now.

        The link is used up by it: `give_back` if the guest was not let in.
        """
        scheme, _, told = authorization.partition(" ")
        if scheme == BEARER:
            return self._shown(told)
        if scheme == PROOF:
            return self._proven(told, offer)
        return None

    def give_back(self, secret: str) -> None:
        """What `take` gave was of no use: it is as good as before."""
        if secret == self.secret:
            self._used = False

    def joined(self, secret: str, offer: str, answer: str, shown: bool) -> str:
        """The guest is in: returns the token with which it may come back. `shown`: whether it showed the secret."""
        token = resume_token(secret, offer, answer)
        guest = next((guest for guest in self._guests if secret in (guest.token, guest.before)), None)
        if guest is None:
            self._add(_Guest(token))
        else:
            guest.token, guest.before, guest.expires_ns = token, "" if shown else secret, None
            guest.proofs = {secret: guest.proofs.get(secret, set())}
        if secret == self.secret:
            self._told_used()
        return token

    def left(self, token: str) -> None:
        """The guest with this token has gone, perhaps to come back."""
        for guest in self._guests:
            if guest.token == token:
                guest.expires_ns = self._clock.now_ns() + self._lifetime_ns

    def _shown(self, told: str) -> str | None:
        if self._standing and same(told, self._standing):
            return self._standing
        guest = next((guest for guest in self._known() if same(told, guest.token)), None)
        return self._link_if(same(told, self.secret)) if guest is None else guest.token

    def _proven(self, told: str, offer: str) -> str | None:
        for guest in self._known():
            for secret in filter(None, (guest.token, guest.before)):
                if proves(told, secret, "guest", offer):
                    taken = guest.proofs.setdefault(secret, set())
                    if told in taken or len(taken) == _MOST_PROOFS:
                        return None
                    taken.add(told)
                    return secret
        return self._link_if(proves(told, self.secret, "guest", offer))

    def _link_if(self, right: bool) -> str | None:
        """The link's secret, used up, if it is `right` and still good."""
        if not right or self._used or self._clock.now_ns() >= self._expires_ns:
            return None
        self._used = True
        return self.secret

    def _known(self) -> list[_Guest]:
        """Guests who may come back."""
        now_ns = self._clock.now_ns()
        self._guests = [guest for guest in self._guests if guest.expires_ns is None or now_ns < guest.expires_ns]
        return self._guests

    def _add(self, guest: _Guest) -> None:
        self._guests.append(guest)
        if len(self._guests) > self._places:
            gone = next((each for each in self._guests if each.expires_ns is not None), self._guests[0])
            self._guests.remove(gone)
