"""What two ends of a call say to each other beside motion and sound. docs/call_protocol.md has every message.

Everything from the other end is read with limits; what cannot be meant well is a `ProtocolError`, and ends the call.
"""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from models.builtin.package import VERSION as AVATAR_VERSION
from models.errors import AgentError
from models.motion_codec import VERSION as MOTION_VERSION

VERSION = 1
MOST_TEXT = 2048
"""Characters of a message."""
MOST_PORTRAIT = 1024 * 1024
"""Bytes of a portrait."""
PART_BYTES = 16 * 1024
"""Of a portrait in one message, but the last."""
MOST_NAME = 40
"""Characters of a name."""

_MOST_REASON = 200
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ProtocolError(AgentError):
    """The other end says what no agent of this version does. The message says what."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What an end sends if it is wanted."""

    digest: str
    """SHA-256, hexadecimal."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Hello:
    """Who calls, and the portrait that is to be shown: the first message of either end."""

    name: str
    """"" is nobody's."""
    portrait: Offered | None
    """None shows none, and sends no motion: a browser."""
    may_keep: bool
    """Whether the portrait may be kept on the receiver's disk for the next call."""
    avatar: Offered | None = None
    """The portrait as an avatar package, for a browser. It is said and passed over by agents, which draw portraits."""
    camera: bool = False
    """Whether glimpses of the camera may come in the portrait's place."""


@dataclass(frozen=True, slots=True)
class Another:
    """A portrait that is to take the place of the one that is shown. It is kept nowhere."""

    portrait: Offered


@dataclass(frozen=True, slots=True)
class Want:
    """The portrait or avatar package of this digest is to be sent."""

    digest: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The other end's portrait is shown: from now on motion counts."""


@dataclass(frozen=True, slots=True)
class Bye:
    """The call is over."""

    reason: str


Message = Hello | Another | Want | Ready | Bye


def write(message: Message) -> str:
    """A message as it travels."""
    said: dict[str, Any]
    match message:
        case Hello(name, portrait, may_keep, avatar, camera):
            said = {"type": "hello", "version": VERSION, "motion": MOTION_VERSION, "name": name}
            if portrait is not None:
                said["portrait"] = {"sha256": portrait.digest, "bytes": portrait.size, "keep": may_keep}
            if camera:
                said["camera"] = True
            if avatar is not None:
                said["avatar"] = {"sha256": avatar.digest, "bytes": avatar.size, "version": AVATAR_VERSION}
        case Another(portrait):
            said = {
                "type": "portrait",
                "portrait": {"sha256": portrait.digest, "bytes": portrait.size, "keep": False},
            }
        case Want(digest):
            said = {"type": "want", "sha256": digest}
        case Ready():
            said = {"type": "ready"}
        case Bye(reason):
            said = {"type": "bye", "reason": reason[:_MOST_REASON]}
    return json.dumps(said)


def read(text: str) -> Message | None:
    """A message of the other end; None for a kind that only later versions know. Raises ProtocolError."""
    if len(text) > MOST_TEXT:
        raise ProtocolError("a message is too long")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("a message cannot be read") from None
    if not isinstance(said, dict):
        raise ProtocolError("a message is none")
    match said.get("type"):
        case "hello":
            return _hello(said)
        case "portrait":
            return Another(_announced(said.get("portrait")))
        case "want":
            return Want(_digest(said))
        case "ready":
            return Ready()
        case "bye":
            return Bye(_printable(said.get("reason"), _MOST_REASON))
    return None


def digest_of(portrait: bytes) -> str:
    """By which a portrait is known."""
    return sha256(portrait).hexdigest()


def offered(data: bytes) -> Offered:
    """How a portrait or avatar package is announced."""
    return Offered(digest_of(data), len(data))


class Parts:
    """A portrait that arrives in parts."""

    def __init__(self, announced: Offered) -> None:
        self._announced, self._data = announced, bytearray()

    def take(self, part: bytes) -> bytes | None:
        """The portrait once it is complete. Raises ProtocolError: more than was announced, or another picture."""
        self._data += part
        if not part or len(self._data) > self._announced.size:
            raise ProtocolError("the portrait is larger than announced")
        if len(self._data) < self._announced.size:
            return None
        if digest_of(portrait := bytes(self._data)) != self._announced.digest:
            raise ProtocolError("the portrait is not the announced one")
        return portrait


def _hello(said: dict[str, Any]) -> Hello:
    if said.get("version") != VERSION or said.get("motion") != MOTION_VERSION:
        raise ProtocolError("its version of the call is another: bring both ends up to date")
    name, portrait = _printable(said.get("name"), MOST_NAME), said.get("portrait")
    if portrait is None:
        return Hello(name, None, False)
    return Hello(name, _announced(portrait), portrait.get("keep") is True, camera=said.get("camera") is True)


def _announced(portrait: Any) -> Offered:
    """Raises ProtocolError for what is no portrait that could be sent."""
    if not isinstance(portrait, dict):
        raise ProtocolError("the portrait is not announced")
    size = portrait.get("bytes")
    if type(size) is not int or not 0 < size <= MOST_PORTRAIT:
        raise ProtocolError(f"the portrait is larger than {MOST_PORTRAIT >> 10} KB, or empty")
    return Offered(_digest(portrait), size)


def _digest(said: dict[str, Any]) -> str:
    digest = said.get("sha256")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ProtocolError("a portrait is named by no SHA-256")
    return digest


def _printable(text: object, most: int) -> str:
    """One line for a terminal: no control characters, no more than `most`."""
    return "".join(filter(str.isprintable, text if isinstance(text, str) else "")).strip()[:most]
