"""Session descriptions from the other end: read with limits before anything acts on them."""

from collections.abc import Collection

from aiortc.sdp import SessionDescription

from models.errors import InputError
from runtime.transports.ice import IcePolicy

MAX_BYTES = 64 * 1024
"""Of an offer or answer; a browser's has about ten thousand."""

_MAX_LINES = 2000
_MAX_LINE = 4096
_MAX_CANDIDATES = 64  # of each medium, and of all that are used
_ADDRESS = 4  # which word of a candidate
_KINDS = ("audio", "video", "application")


class DescriptionError(InputError):
    """An offer or answer that cannot be used. The message says why."""


def read_description(text: str, policy: IcePolicy, kinds: Collection[str] = _KINDS) -> str:
    """An offer or answer that may be acted on: `text` with those candidates alone that `policy` permits.

    Those of any medium are named with each: media share one way, browsers name its candidates with the first of them,
    and aiortc takes those of the last.

    Raises:
        DescriptionError: too large, unreadable, without ICE password or DTLS fingerprint, or with media other than one
            each of `kinds`; or with no candidate where only a TURN server is between, which lets nobody else through.
    """
    lines = text.splitlines()
    if len(text) > MAX_BYTES or len(lines) > _MAX_LINES or any(len(line) > _MAX_LINE for line in lines):
        raise DescriptionError("the session description is too large")
    try:
        description = SessionDescription.parse(text)
    except Exception as error:  # its parser asserts and indexes
        raise DescriptionError("the session description cannot be read") from error
    found = [media.kind for media in description.media]
    if not found or len(set(found)) < len(found) or not set(found) <= set(kinds):
        wanted = " or ".join(kinds)
        raise DescriptionError(f"the session description must have one each of {wanted}, at most")
    for media in description.media:
        if media.ice is None or not media.ice.usernameFragment or not media.ice.password:
            raise DescriptionError("the session description lacks the ICE password")
        if media.dtls is None or not media.dtls.fingerprints:
            raise DescriptionError("the session description lacks the DTLS fingerprint")
    if any(len(media.ice_candidates) > _MAX_CANDIDATES for media in description.media):
        raise DescriptionError("the session description has too many candidates")
    named = {line: line.split() for line in lines if line.startswith("a=candidate:")}
    if any(len(words) <= _ADDRESS for words in named.values()):  # of the session: its parser passes over them
        raise DescriptionError("a candidate of the session description cannot be read")
    candidates = [line for line, words in named.items() if policy.permits(words[_ADDRESS])][:_MAX_CANDIDATES]
    if policy.relayed and not candidates:
        raise DescriptionError(
            "there is no address that a TURN server could let through: to know its own, a browser needs the agent to "
            "have --ice-server stun:HOST:PORT, too, and UDP"
        )
    kept: list[str] = []
    for line in lines:
        if line.startswith("m=") and any(before.startswith("m=") for before in kept):
            kept += candidates
        if not line.startswith(("a=candidate:", "a=end-of-candidates")):  # without an end others may be found by asking
            kept.append(line)
    return "".join(f"{line}\r\n" for line in kept + candidates)


def fingerprints(text: str) -> list[str]:
    """The DTLS fingerprints of a description, sorted, each once: what binds it to whoever has the keys."""
    found = (line.removeprefix("a=fingerprint:") for line in text.splitlines() if line.startswith("a=fingerprint:"))
    return sorted({" ".join(value.lower().split()) for value in found})
