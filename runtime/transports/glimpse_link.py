"""Glimpses of one end's camera on their way to the other: each a packet that may be lost, sent while there is room."""

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from runtime.clock import Clock
from runtime.glimpse import MOST_BYTES, Glimpse, read_glimpse
from runtime.transports.attempts import Attempts

VERSION = 1
"""The first byte of a packet; two of its number follow, little-endian, then the picture."""
ROOM_BYTES = 500
"""While more than so much is on its way, which is the glimpse before, none is sent."""

_HEAD_BYTES = 3
_NUMBERS = 1 << 16
_BURST, _EVERY_NS = 8, 80_000_000  # packets that are read: twice as many as an end sends


class GlimpseLink:
    """Both directions. Belongs to the transport's thread."""

    def __init__(
        self,
        clock: Clock,
        send: Callable[[bytes], None],
        on_its_way_bytes: Callable[[], int],
        see: Callable[[UInt8[np.ndarray, "h w 3"] | None], None],
    ) -> None:
        """`send` must not block; `see` hears each of the other end's pictures, and None when there are no more."""
        self._send, self._on_its_way_bytes, self._see = send, on_its_way_bytes, see
        self._attempts = Attempts(clock, _BURST, _EVERY_NS)
        self._newest: int | None = None
        self.sent = self.sent_bytes = self.withheld = self.received = self.dropped = 0
        """Packets sent, their bytes, packets not sent for lack of room, shown, and dropped."""

    def give(self, glimpse: Glimpse) -> None:
        """Sends a glimpse, if there is room."""
        if self._on_its_way_bytes() > ROOM_BYTES:
            self.withheld += 1
            return
        packet = bytes([VERSION]) + (self.sent % _NUMBERS).to_bytes(2, "little") + glimpse.data
        self._send(packet)
        self.sent += 1
        self.sent_bytes += len(packet)

    def take(self, packet: bytes) -> None:
        """Reads what the other end sent. Never raises; what is none, is too old or comes too often is dropped."""
        try:
            if not self._attempts.take() or not _HEAD_BYTES <= len(packet) <= _HEAD_BYTES + MOST_BYTES:
                raise ValueError("too many, or too long")
            number = int.from_bytes(packet[1:_HEAD_BYTES], "little")
            if packet[0] != VERSION or not self._is_newer(number):
                raise ValueError("of another version, or late")
            picture = read_glimpse(packet[_HEAD_BYTES:]) if len(packet) > _HEAD_BYTES else None
        except ValueError:
            self.dropped += 1
            return
        self._newest = number
        self.received += 1
        self._see(picture)

    def counts(self) -> dict[str, float]:
        """The figures so far, for a report."""
        return {
            "glimpses_sent": self.sent,
            "glimpse_bytes_sent": self.sent_bytes,
            "glimpses_withheld": self.withheld,
            "glimpses_received": self.received,
            "glimpses_dropped": self.dropped,
        }

    def _is_newer(self, number: int) -> bool:
        return self._newest is None or 0 < (number - self._newest) % _NUMBERS < _NUMBERS // 2
