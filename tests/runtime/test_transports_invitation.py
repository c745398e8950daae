"""For whom a link is good, and how long."""

import asyncio
from collections.abc import Callable
from itertools import count

import pytest

from runtime.clock import FakeClock
from runtime.transports.invitation import HeldError, Invitation
from runtime.transports.links import prove

HOUR_NS = 3600 * 1_000_000_000


class Guests:
    """An invitation that is good for an hour, and offers that differ."""

    def __init__(self, places: int = 3, standing: str = "") -> None:
        self.clock, self.uses = FakeClock(), 0
        self.invitation = Invitation(self.clock, 3600, places, self._used, standing)
        self._numbers = count()

    def _used(self) -> None:
        self.uses += 1

    def offer(self) -> str:
        return f"a=fingerprint:sha-256 {next(self._numbers):02x}"

    def prove(self, secret: str, offer: str) -> str | None:
        return self.invitation.take(f"Proof {prove(secret, 'guest', offer)}", offer)

    def show(self, secret: str) -> str | None:
        return self.invitation.take(f"Bearer {secret}", self.offer())

    def join(self, secret: str, offer: str) -> str:
        """Proves and gets an answer; returns the token to come back with."""
        assert self.prove(secret, offer) == secret
        return self.invitation.joined(secret, offer, self.offer(), shown=False)

    def come(self, secret: str, shown: bool = False) -> str | None:
        """Joins and is connected; returns the token to come back with, or None."""
        offer = self.offer()
        taken = self.show(secret) if shown else self.prove(secret, offer)
        if taken is None:
            return None
        token = self.invitation.joined(taken, offer, self.offer(), shown)
        self.invitation.connected(token)
        return token

    def is_held(self, secret: str) -> bool:
        """Whether others are asked to wait, however they come."""
        for come in (lambda: self.prove(secret, self.offer()), lambda: self.show(secret)):
            with pytest.raises(HeldError, match="try again in a moment"):
                come()
        return True


@pytest.mark.parametrize("shown", [False, True])
def test_a_link_is_good_for_the_first_who_then_comes_back_any_number_of_times(shown: bool) -> None:
    guests = Guests()
    link = guests.invitation.secret
    token = guests.come(link, shown)
    assert guests.come(link, shown) is None and guests.uses == 1
    for _ in range(5):
        before, token = token, guests.come(token, shown)
        assert token is not None and token != before
    assert guests.uses == 1


def test_a_link_that_did_not_let_in_is_as_good_as_before() -> None:
    guests = Guests()
    link = guests.invitation.secret
    assert guests.show(link) == link
    assert guests.show(link) is None
    guests.invitation.give_back(link)
    assert guests.come(link) is not None
    guests.invitation.give_back("another")
    assert guests.come(link) is None


def test_whoever_proved_a_link_alone_may_come_again_until_it_is_connected() -> None:
    guests = Guests()
    link, mine, theirs = guests.invitation.secret, guests.offer(), guests.offer()
    assert guests.prove(link, mine) == link and guests.invitation.last_token(link) == ""
    with pytest.raises(HeldError):
        guests.prove(link, mine)  # while the answer is made
    assert guests.is_held(link)
    tokens = [guests.invitation.joined(link, mine, guests.offer(), shown=False)]
    for _ in range(3):
        assert guests.is_held(link) and guests.uses == 0
        overheard = f"Proof {prove(link, 'guest', mine)}"
        assert guests.invitation.take(overheard, theirs) is None, "it is of other keys"
        assert guests.prove(link, mine) == link and guests.invitation.last_token(link) == tokens[-1]
        guests.invitation.left(tokens[-1])  # to make room for the next
        assert guests.is_held(link)
        tokens.append(guests.invitation.joined(link, mine, guests.offer(), shown=False))
        guests.invitation.left(tokens[-2])
    guests.invitation.connected(tokens[-1])
    assert guests.uses == 1
    assert guests.prove(link, mine) is guests.prove(link, theirs) is guests.show(link) is None
    assert guests.come(tokens[-2]) is not None, "the last answer may have been lost, and that before have come"


def test_a_link_whose_guest_was_never_connected_is_good_for_the_next() -> None:
    guests = Guests()
    link = guests.invitation.secret
    first = guests.join(link, guests.offer())
    guests.invitation.left(first)
    second = guests.join(link, guests.offer())
    with pytest.raises(HeldError):
        guests.prove(first, guests.offer())
    guests.invitation.connected(second)
    assert guests.prove(first, guests.offer()) is None and guests.uses == 1
    guests.invitation.renew()
    link = guests.invitation.secret
    first = guests.join(link, guests.offer())
    guests.invitation.left(first)
    token = guests.join(first, guests.offer())
    assert guests.is_held(link)
    guests.invitation.connected(token)
    assert guests.prove(link, guests.offer()) is None and guests.uses == 2


@pytest.mark.parametrize("again", [False, True])
def test_a_link_whose_guest_got_no_answer_is_good_for_the_next(again: bool) -> None:
    guests = Guests()
    link, mine = guests.invitation.secret, guests.offer()
    if again:
        guests.join(link, mine)
    assert guests.prove(link, mine) == link
    guests.invitation.give_back(link)
    assert guests.come(link) is not None and guests.prove(link, mine) is None


def test_a_guest_whose_answer_was_lost_comes_back_and_nobody_with_what_was_overheard() -> None:
    guests = Guests()
    first = guests.come(guests.invitation.secret)
    offers = [guests.offer() for _ in range(3)]
    assert guests.prove(first, offers[0]) == first
    lost = guests.invitation.joined(first, offers[0], "", shown=False)
    assert guests.prove(first, offers[0]) is None, "said again by somebody else"
    assert guests.prove(first, offers[1]) == first, "the answer with the new token did not arrive"
    token = guests.invitation.joined(first, offers[1], "", shown=False)
    assert guests.come(lost) is None
    assert guests.prove(first, offers[0]) is guests.prove(first, offers[1]) is None
    assert guests.come(token) is not None
    assert guests.prove(first, offers[2]) is None, "the token that took its place has been used"


def test_a_secret_that_was_shown_is_used_up() -> None:
    guests = Guests()
    token = guests.come(guests.invitation.secret, shown=True)
    assert guests.come(token, shown=True) is not None
    assert guests.show(token) is None and guests.prove(token, guests.offer()) is None


def test_one_token_does_not_prove_any_number_of_offers() -> None:
    guests = Guests()
    token = guests.come(guests.invitation.secret)
    taken = [guests.prove(token, guests.offer()) for _ in range(100)]
    assert taken[0] == token and taken[-1] is None


def test_a_link_expires_and_those_who_have_gone_cannot_come_back_for_ever() -> None:
    guests = Guests()
    token = guests.come(guests.invitation.secret)
    guests.invitation.next_link()
    link = guests.invitation.secret
    guests.clock.advance(2 * HOUR_NS)
    assert guests.come(link) is None
    token = guests.come(token)  # it was there all the time
    assert token is not None
    guests.invitation.left(token)
    guests.clock.advance(HOUR_NS - 1)
    token = guests.come(token)
    assert token is not None
    guests.invitation.left(token)
    guests.clock.advance(HOUR_NS)
    assert guests.come(token) is None


def test_of_too_many_guests_those_who_have_gone_are_forgotten_first() -> None:
    guests = Guests(places=2)
    tokens = []
    for _ in range(4):
        tokens.append(guests.come(guests.invitation.secret))
        guests.invitation.next_link()
        if len(tokens) > 1:
            guests.invitation.left(tokens[-1])
    assert [guests.prove(token, guests.offer()) for token in tokens] == [tokens[0], None, None, tokens[3]]


def test_another_link_of_the_call_that_follows_shuts_everybody_out() -> None:
    guests = Guests()
    link = guests.invitation.secret
    token = guests.come(link)
    guests.invitation.renew()
    assert guests.come(link) is guests.come(token) is None
    assert guests.come(guests.invitation.secret) is not None


def test_players_come_as_often_as_they_like_with_a_token_of_the_user_s() -> None:
    guests = Guests(standing="a token of the user's")
    link = guests.invitation.secret
    assert all(guests.come("a token of the user's", shown=True) for _ in range(5))
    assert guests.come("a token of the users", shown=True) is None
    assert guests.uses == 0 and guests.come(link) is not None
    assert Guests().show("") is None


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Proof ", "Basic x", "Bearer \udce9", "Proof \udce9"]
)
def test_nothing_is_no_secret(authorization: str) -> None:
    assert Guests().invitation.take(authorization, "") is None


@pytest.mark.parametrize(("used", "renewed"), [("not", 2), ("held", 0), ("used", 0)])
def test_a_link_that_nobody_uses_is_replaced_when_it_expires(used: str, renewed: int, monkeypatch) -> None:
    guests, expired = Guests(), []
    if used == "held":
        guests.join(guests.invitation.secret, guests.offer())
    if used == "used":
        guests.come(guests.invitation.secret)
    first = guests.invitation.secret

    async def passing(seconds: float, sleep: Callable = asyncio.sleep) -> None:
        await sleep(0)
        guests.clock.advance(max(1_000_000, round(0.6e9 * seconds)))  # woken too early
        if guests.clock.now_ns() > 2.5 * HOUR_NS:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", passing)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(guests.invitation.keep(lambda: expired.append(guests.invitation.secret)))
    assert len(set(expired)) == renewed and first not in expired
    if used == "held":
        assert guests.is_held(guests.invitation.secret)
    else:
        assert (guests.come(guests.invitation.secret) is None) == (used == "used")
