"""Both ends of a call in one process: real peers, no agent around them."""

import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from models.errors import AgentError
from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.sound import Sound
from runtime.transports.call_control import Hello
from runtime.transports.call_host import Myself
from runtime.transports.caller import Caller
from runtime.transports.ice import IcePolicy, policy_for
from runtime.transports.joining import RefusedError
from runtime.transports.line import Line
from runtime.transports.listener import Listener
from tests.agent.command import wait_until
from tests.models.motions import talking

CLOCK = MonotonicClock()


class End:
    """A user who shows anything, beeps, and remembers."""

    def __init__(
        self,
        name: str,
        portrait: bytes = b"",
        kept: dict[str, bytes] | None = None,
        avatar: bytes | None = None,
        policy_at: Callable[[str], IcePolicy] = policy_for,
        camera: bool = False,
    ) -> None:
        self.policy_at = policy_at
        self.myself = Myself(name, portrait or name.encode() * 10_000, may_keep=True, avatar=avatar, camera=camera)
        self.kept = kept or {}
        self.calls: list[Hello] = []
        self.portraits: list[bytes | None] = []
        self.lines: list[str] = []
        self.endings: list[str | AgentError] = []
        self.sounds: list[Sound] = []
        self.seen: list[np.ndarray | None] = []
        self.losses = 0
        self.is_shown = threading.Event()
        self.refusal: str | None = None
        self.line = Line()
        self.end: Caller | Listener | None = None

    def called(self, hello: Hello) -> None:
        self.calls.append(hello)

    def known(self, digest: str) -> bytes | None:
        return self.kept.get(digest)

    def show(self, hello: Hello, portrait: bytes | None) -> None:
        if self.refusal is not None:
            raise AgentError(self.refusal)
        self.portraits.append(portrait)
        self.shown_last = hello

    def shown(self) -> None:
        self.is_shown.set()

    def lost(self) -> None:
        self.losses += 1

    def see(self, glimpsed: np.ndarray | None) -> None:
        self.seen.append(glimpsed)

    def hear(self, sound: Sound) -> None:
        self.sounds.append(sound)

    def say(self, count: int, leaves_ns: int) -> np.ndarray:
        """A beep at every full second of the clock."""
        ns = (leaves_ns + np.arange(count) * 1_000_000_000 // 48_000) % 1_000_000_000
        wave = np.where(ns < 100_000_000, 0.5 * np.sin(ns * 6e-6), 0)
        return np.repeat(wave[:, None], 2, 1).astype(np.float32)

    def listen(self, port: int | None = 0) -> "End":
        self.end = Listener(
            "127.0.0.1",
            port,
            self.policy_at,
            self.line,
            self.myself,
            self,
            CLOCK,
            self.lines.append,
            self.endings.append,
        )
        return self

    def call(self, link: object) -> "End":
        self.end = Caller(
            str(link), self.policy_at, self.line, self.myself, self, CLOCK, self.lines.append, self.endings.append
        )
        return self

    def tell(self, what: Callable[[], object]) -> None:
        """Does something in the connection's loop."""
        assert self.line._loop is not None
        self.line._loop.call_soon_threadsafe(what)

    def ended(self) -> "End":
        """Once the call is over."""
        wait_until(lambda: bool(self.endings), 20)
        return self

    @property
    def link(self):
        assert isinstance(self.end, Listener)
        return self.end.link

    def close(self, reason: str = "hung up") -> None:
        if self.end is not None:
            self.end.close(reason)


def talk(sender: End, receiver: End, seconds: float, then: Callable[[], object] = lambda: None) -> list[Motion]:
    """Motion from one end to the other in real time; what is shown there 25 times a second."""
    shown = []
    begun_ns = CLOCK.now_ns()
    stop = threading.Event()
    for motion in talking(round(seconds * 25), begin_ns=begun_ns):
        CLOCK.wait_until(motion.pts_ns, stop)
        sender.line.give(motion)
        if (there := receiver.line.at(CLOCK.now_ns())) is not None:
            shown.append(there)
    then()
    return shown


def connected(caller: End, listener: End) -> None:
    wait_until(lambda: caller.is_shown.is_set() and listener.is_shown.is_set(), 20)


def ice_of(end: End) -> Any:
    assert end.line.peer is not None and end.line.peer.peer.sctp is not None
    return end.line.peer.peer.sctp.transport.transport


def lose(end: End, part: float, seed: int = 0) -> None:
    """So large a part of what an end sends does not arrive."""
    ice, draw = ice_of(end), random.Random(seed)
    send = ice._send

    async def lossy(data: bytes) -> None:
        if draw.random() >= part:
            await send(data)

    vars(ice)["_send"] = lossy


def refused(end: End) -> bool:
    """Whether its link was used up."""
    return bool(end.endings) and isinstance(end.endings[0], RefusedError) and "used up" in str(end.endings[0])
