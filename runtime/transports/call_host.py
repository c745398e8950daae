"""What a call asks of the end that it belongs to: whom it shows, and what becomes of what comes."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from runtime.sound import Sound
from runtime.transports.call_control import Hello, offered


@dataclass(frozen=True, slots=True)
class Myself:
    """What this end shows of its user."""

    name: str
    portrait: bytes
    """A picture file, ready to leave."""
    may_keep: bool
    """Whether the other end may keep it for the next call."""
    avatar: bytes | None = None
    """The portrait as an avatar package, for browsers; None where none can join."""
    camera: bool = False
    """Whether glimpses of the camera may leave in the portrait's place."""

    @property
    def hello(self) -> Hello:
        """The first message."""
        avatar = None if self.avatar is None else offered(self.avatar)
        return Hello(self.name, offered(self.portrait), self.may_keep, avatar, self.camera)


@runtime_checkable
class Host(Protocol):
    """This end of a call: its user, portraits and loops. No method may block but the two that say so."""

    def called(self, hello: Hello) -> None:
        """Somebody wants to show a portrait, or only to see ours."""
        ...

    def known(self, digest: str) -> bytes | None:
        """A portrait that was kept in an earlier call. In a thread of its own; may block."""
        ...

    def show(self, hello: Hello, portrait: bytes | None) -> None:
        """Shows a portrait, of which nothing is known but its size and digest; None is nobody's. In a thread of its
        own; may block.

        Raises AgentError where it cannot be shown.
        """
        ...

    def shown(self) -> None:
        """The other end shows our portrait: what `CallPeer.give` is given now is seen."""
        ...

    def lost(self) -> None:
        """The other end is not heard any more. If it comes back it says hello, and its portrait is shown, again."""
        ...

    def see(self, glimpsed: UInt8[np.ndarray, "h w 3"] | None) -> None:
        """This picture of the other end's camera is to take the portrait's place; None: the portrait comes back."""
        ...

    def hear(self, sound: Sound) -> None:
        """The other end says something."""
        ...

    def say(self, count: int, leaves_ns: int) -> Float32[np.ndarray, "count 2"]:
        """What this end says: the next samples at 48 kHz."""
        ...
