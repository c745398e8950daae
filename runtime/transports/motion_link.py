"""Motion between two ends of a call: packets that may be lost, sent while there is room, shown in their own time."""

import threading
from collections.abc import Callable

from models.ease import smoothstep
from models.motion import Motion
from models.motion_codec import MotionDecoder, MotionEncoder
from runtime.clock import Clock
from runtime.transports.attempts import Attempts
from runtime.transports.playout import Playout

RATE_HZ = 25
"""Motions a second that an end sends, two to a packet, and fewer while many are lost."""
ROOM_BYTES = 200
"""A packet that would wait behind so much is not made: the next motion makes a newer one."""

_EASE_NS = 300_000_000  # in which a face comes out of idling
_BURST, _EVERY_NS = 12, 33_000_000  # packets that are read: twice as many as an end sends


class MotionLink:
    """Both directions. `give` and `take` belong to the transport's thread, `at` to any one other."""

    def __init__(self, clock: Clock, send: Callable[[bytes], None], queued_bytes: Callable[[], int]) -> None:
        """`send` must not block; `queued_bytes` is what was sent and has not left this machine."""
        self._clock, self._send, self._queued_bytes = clock, send, queued_bytes
        self._encoder, self._decoder = MotionEncoder(), MotionDecoder()
        self._given_ns: int | None = None
        self._attempts = Attempts(clock, _BURST, _EVERY_NS)
        self._lock = threading.Lock()  # guards the playout
        self._playout = Playout()
        self._eased, self._eased_ns = 0.0, clock.now_ns()
        self.sent = self.sent_bytes = self.withheld = self.received = self.flooded = 0
        """Packets sent, their bytes, how often one was put off for lack of room, packets received, and received beyond
        any need.
        """

    @property
    def dropped(self) -> int:
        """Packets that could not be read."""
        return self._decoder.dropped

    def counts(self) -> dict[str, float]:
        """The figures so far, for a report."""
        return {
            "packets_sent": self.sent,
            "bytes_sent": self.sent_bytes,
            "packets_withheld": self.withheld,
            "packets_received": self.received,
            "packets_dropped": self.dropped + self.flooded,
            "playout_delay_ms": round(self.delay_ns / 1e6, 3),
        }

    @property
    def delay_ns(self) -> int:
        """By how much motions are shown later than at once, so that they come evenly."""
        with self._lock:
            return self._playout.delay_ns

    def give(self, motion: Motion) -> None:
        """Sends a motion with the next packet; one that describes no later instant than those before is left out."""
        if self._given_ns is not None and motion.pts_ns <= self._given_ns:
            return
        self._given_ns = motion.pts_ns
        if self._encoder.is_next_due and self._queued_bytes() > ROOM_BYTES:
            self.withheld += 1
            return
        heard = self._decoder
        packet = self._encoder.push(
            motion, heard.newest, losses_here=heard.losses_here, losses_there=heard.losses_there
        )
        if packet is None:
            return
        self._send(packet)
        self.sent += 1
        self.sent_bytes += len(packet)

    def take(self, packet: bytes) -> None:
        """Reads what the other end sent. Never raises; what cannot be read, or comes too often, is dropped."""
        if not self._attempts.take():
            self.flooded += 1
            return
        self.received += 1
        motions = self._decoder.push(packet)
        if self._decoder.acknowledged is not None:
            self._encoder.acknowledged(self._decoder.acknowledged)
        with self._lock:
            self._playout.push(motions, self._clock.now_ns())

    def at(self, now_ns: int) -> Motion | None:
        """The motion to show now; None before the first. Its confidence falls when none come, and rises gradually."""
        with self._lock:
            motion = self._playout.at(now_ns)
        ramp, self._eased_ns = self._eased + (now_ns - self._eased_ns) / _EASE_NS, now_ns
        if motion is None:
            return None
        self._eased = min(ramp, motion.confidence)
        confidence = smoothstep(0.0, 1.0, self._eased)
        return Motion(motion.pts_ns, motion.expression, motion.rotation, motion.translation, confidence)
