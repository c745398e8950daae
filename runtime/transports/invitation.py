"""Who may join a host: the one who comes first with its link, and whoever was there and comes back.

The link is good for one guest, and expires if nobody comes; `keep` then puts another in its place. Who proves it holds
it: others wait, and the guest itself may come again with the same proof, since an answer may be lost. Connected, it has
used the link up; if no connection comes about, the link is as good as before.

A guest comes back with the token of its connection before (`links.resume_token`), any number of times: every time there
is a new one. If the answer that told it so was lost, the one before still proves who it is, to an offer that was not
made before. What was overheard is good for nothing: a proof belongs to one offer's keys, and a secret that was shown is
used up by it.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from models.errors import AgentError
from runtime.clock import Clock
from runtime.transports.links import BEARER, PROOF, proves, resume_token, same

_SECRET_BYTES = 24
_MOST_PROOFS = 64  # of one token: then it is used up


class HeldError(AgentError):
    """Somebody is joining with the link, who may not succeed."""


@dataclass(slots=True, eq=False)
class _Guest:
    """Somebody who has joined, or is joining."""

    token: str = ""
    """With what it may come back; "" before it has an answer."""
    before: str = ""
    """With what it came back last, if it proved that."""
    proofs: dict[str, set[str]] = field(default_factory=dict)
    """That were taken, of either."""
    link_proof: str = ""
    """By which it holds the link, until it is connected."""
    is_answered: bool = True
    """Whether it does not wait for an answer to that."""
    expires_ns: int | None = None
    """None while it is there, or joining."""


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
        """Makes another link; the one before is good no more, for who was never connected neither."""
        self._guests = [guest for guest in self._guests if not guest.link_proof]
        self.secret = secrets.token_urlsafe(_SECRET_BYTES)
        self._used = False
        self._expires_ns = self._clock.now_ns() + self._lifetime_ns

    async def keep(self, expired: Callable[[], None]) -> None:
        """Puts another link in the place of one that nobody has used in time, and so on; `expired` hears of each."""
        while True:
            await asyncio.sleep(max(0, self._expires_ns - self._clock.now_ns()) / 1e9)
            if self._clock.now_ns() < self._expires_ns:
                continue
            if self._used or self._holder is not None:
                self._expires_ns = self._clock.now_ns() + self._lifetime_ns
            else:
                self.next_link()
                expired()

    @property
    def is_used(self) -> bool:
        """Whether the link is used up."""
        return self._used

    def take(self, authorization: str, offer: str) -> str | None:
        """Which secret an `Authorization` header with this offer shows or proves; None: none that is good now.

        The link is used up or held by it: `give_back` if the guest was not let in.

        Raises HeldError.
        """
        scheme, _, told = authorization.partition(" ")
        if scheme == BEARER:
            return self._shown(told)
        if scheme == PROOF:
            return self._proven(told, offer)
        return None

    def give_back(self, secret: str) -> None:
        """What `take` gave was of no use: it is as good as before."""
        guest = self._guest_of(secret)
        if guest is not None and guest.link_proof:
            self._let_go(guest)
        elif secret == self.secret:
            self._used = False

    def last_token(self, secret: str) -> str:
        """The token of the connection before of whoever has come with what `take` gave; "" where there was none."""
        guest = self._guest_of(secret)
        return "" if guest is None else guest.token

    def joined(self, secret: str, offer: str, answer: str, shown: bool) -> str:
        """The guest has an answer: returns the token with which it may come back. `shown`: whether it showed the
        secret.
        """
        token = resume_token(secret, offer, answer)
        guest = self._guest_of(secret)
        if guest is None:
            if secret == self.secret:
                self._use_up()
            guest = _Guest(token)
            self._guests.append(guest)
            self._forget_beyond_places(guest)
        elif secret == self.secret:
            guest.before, guest.token = guest.token, token
            self._forget_beyond_places(guest)
        else:
            guest.token, guest.before = token, "" if shown else secret
            guest.proofs = {secret: guest.proofs.get(secret, set())}
        guest.is_answered, guest.expires_ns = True, None
        return token

    def connected(self, token: str) -> None:
        """The guest with this token is there: if it came with the link, that is used up now."""
        guest = self._with(token)
        if guest is not None and guest.link_proof:
            guest.link_proof, guest.expires_ns = "", None
            self._use_up()

    def left(self, token: str) -> None:
        """The guest with this token has gone, perhaps to come back, if it is not joining anew."""
        guest = self._with(token)
        if guest is not None and guest.is_answered:
            self._let_go(guest)

    def _shown(self, told: str) -> str | None:
        if self._standing and same(told, self._standing):
            return self._standing
        guest = next((guest for guest in self._known() if guest.token and same(told, guest.token)), None)
        if guest is not None:
            self._hold_again(guest)
            return guest.token
        if not same(told, self.secret) or not self._is_good:
            return None
        if self._holder is not None:
            raise _held()
        self._used = True
        return self.secret

    def _proven(self, told: str, offer: str) -> str | None:
        for guest in self._known():
            for secret in filter(None, (guest.token, guest.before)):
                if proves(told, secret, "guest", offer):
                    taken = guest.proofs.setdefault(secret, set())
                    if told in taken or len(taken) == _MOST_PROOFS:
                        return None
                    self._hold_again(guest)
                    taken.add(told)
                    return secret
        if not proves(told, self.secret, "guest", offer) or not self._is_good:
            return None
        holder = self._holder
        if holder is None:
            holder = _Guest(link_proof=told)
            self._guests.append(holder)
        elif not same(told, holder.link_proof) or not holder.is_answered:
            raise _held()
        holder.is_answered = False
        return self.secret

    def _hold_again(self, guest: _Guest) -> None:
        """By who had an answer and was never connected. Raises HeldError."""
        if guest.link_proof:
            if self._holder not in (None, guest):
                raise _held()
            guest.expires_ns = None

    def _let_go(self, guest: _Guest) -> None:
        """Of the link, if the guest held it."""
        guest.is_answered, guest.expires_ns = True, self._clock.now_ns() + self._lifetime_ns
        if not guest.token:
            self._guests.remove(guest)

    def _use_up(self) -> None:
        """The link. Who had it and was never connected comes too late."""
        self._used = True
        self._guests = [guest for guest in self._guests if not guest.link_proof]
        self._told_used()

    @property
    def _is_good(self) -> bool:
        return not self._used and self._clock.now_ns() < self._expires_ns

    @property
    def _holder(self) -> _Guest | None:
        """Who is joining with the link."""
        return next((guest for guest in self._guests if guest.link_proof and guest.expires_ns is None), None)

    def _guest_of(self, secret: str) -> _Guest | None:
        """Who has come with what `take` gave."""
        if secret == self.secret:
            return self._holder
        return next((guest for guest in self._guests if secret in (guest.token, guest.before)), None)

    def _with(self, token: str) -> _Guest | None:
        return next((guest for guest in self._guests if guest.token == token), None)

    def _known(self) -> list[_Guest]:
        """Guests who may come back."""
        now_ns = self._clock.now_ns()
        self._guests = [guest for guest in self._guests if guest.expires_ns is None or now_ns < guest.expires_ns]
        return self._guests

    def _forget_beyond_places(self, newest: _Guest) -> None:
        others = [guest for guest in self._guests if guest is not newest]
        if len(others) >= self._places:
            gone = next((guest for guest in others if guest.expires_ns is not None), others[0])
            self._guests.remove(gone)


def _held() -> HeldError:
    return HeldError("somebody is joining with this link: try again in a moment")
