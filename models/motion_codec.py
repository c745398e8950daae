"""Motion <-> packets of a few dozen bytes, for a network that loses some of them. docs/motion_wire.md has every byte.

A packet carries a motion and, between it and the one before, those that would else need packets of their own; and,
while the receiver misses packets, the newest motion of the packet before once more, coarsely. It can be decoded alone
or, cheaper, against a motion that the receiver has acknowledged, which the packet names. A packet that is lost takes
nothing with it but its own motions, and one of those comes again.
"""

from binascii import crc_hqx
from collections import OrderedDict, deque
from dataclasses import dataclass
from struct import Struct

import numpy as np

from models.motion import Motion
from models.wire.bits import BitReader, BitWriter
from models.wire.differences import read_differences, write_differences
from models.wire.levels import Levels, bounded, to_levels, to_motion

VERSION = 2
TICK_NS = 100_000
"""Unit of time in packets."""
MOST_MOTIONS = 4
MOST_BYTES = 1100
"""No packet is longer: it fits into a datagram on any network."""

_ALONE, _AFTER, _BESIDE, _BETWEEN = range(4)
_HEAD = Struct(">BHI")
_CHECK = Struct(">H")
_REFERENCE, _ACKNOWLEDGES, _MISSES = 1, 2, 4  # flags
_SEQUENCES = 1 << 16
_REMEMBERED = 64
_OFFSET_BITS = 12
_WATCHED = 50  # packets, 4 seconds, in which none should be missing
_COARSE = 2  # levels by which a repeated motion may be told wrong


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """A motion as it travels."""

    ticks: int
    levels: Levels


class MotionEncoder:
    """Motions of one sender -> packets. One thread."""

    def __init__(self, motions_per_packet: int = 2) -> None:
        """`motions_per_packet`: new ones, 1 to 3; beside them a packet may repeat the newest of the one before."""
        if not 1 <= motions_per_packet < MOST_MOTIONS:
            raise ValueError(f"{motions_per_packet} motions in a packet: give 1 to {MOST_MOTIONS - 1}")
        self._new, self._fresh = motions_per_packet, 0
        self._recent: deque[_Told] = deque(maxlen=motions_per_packet + 1)
        self._sent: OrderedDict[int, Levels] = OrderedDict()
        self._sequence = 0
        self._reference: int | None = None

    @property
    def is_next_due(self) -> bool:
        """Whether the next motion makes a packet."""
        return self._fresh + 1 == self._new

    def push(
        self, motion: Motion, acknowledge: int | None = None, misses: bool = False, repeat: bool = True
    ) -> bytes | None:
        """The next packet once enough motions are there for it, else None.

        Args:
            motion: later than all before.
            acknowledge: `MotionDecoder.newest` of the other direction, which travels along.
            misses: `MotionDecoder.misses` of the other direction, which travels along.
            repeat: whether to tell the newest motion of the packet before again: `MotionDecoder.repeat`.
        """
        last = self._recent[-1].levels if self._recent else None
        self._recent.append(_Told(motion.pts_ns // TICK_NS, to_levels(motion, last)))
        self._fresh += 1
        if self._fresh < self._new:
            return None
        self._fresh = 0
        flags = _MISSES * misses
        older = self._older(repeat)
        packets = [self._packet(flags, older, None, acknowledge)]
        if self._reference in self._sent:
            packets.append(self._packet(flags, older, self._reference, acknowledge))
        _remember(self._sent, self._sequence, self._recent[-1].levels)
        self._sequence = (self._sequence + 1) % _SEQUENCES
        return min(packets, key=len)

    def acknowledged(self, sequence: int) -> None:
        """The receiver has this packet. What it may no longer remember, or never got from here, is ignored."""
        distance = (self._sequence - sequence) % _SEQUENCES
        newer = self._reference is None or distance < (self._sequence - self._reference) % _SEQUENCES
        if sequence in self._sent and newer:
            self._reference = sequence

    def _older(self, repeat: bool) -> list[_Told]:
        """What is told beside the newest motion, oldest first."""
        *older, newest = self._recent
        if len(older) == self._new:
            older[:1] = [_coarse(older[0], newest)] if repeat else []
        return [told for told in older if 0 < newest.ticks - told.ticks < 1 << _OFFSET_BITS]

    def _packet(self, flags: int, older: list[_Told], reference: int | None, acknowledge: int | None) -> bytes:
        newest, optional = self._recent[-1], b""
        if reference is not None:
            flags |= _REFERENCE
            optional += bytes([(self._sequence - reference) % _SEQUENCES])
        if acknowledge is not None:
            flags |= _ACKNOWLEDGES
            optional += acknowledge.to_bytes(2, "big")
        head = _HEAD.pack(VERSION << 4 | flags, self._sequence, newest.ticks % (1 << 32)) + optional
        packet = head + _body(newest, older, None if reference is None else self._sent[reference])
        return packet + _CHECK.pack(crc_hqx(packet, 0))


def _coarse(told: _Told, newest: _Told) -> _Told:
    """A motion as it is repeated: small differences from the newest are left out."""
    return _Told(told.ticks, np.where(np.abs(told.levels - newest.levels) <= _COARSE, newest.levels, told.levels))


def _body(newest: _Told, older: list[_Told], reference: Levels | None) -> bytes:
    """`older`: oldest first."""
    bits = BitWriter()
    bits.number(len(older), 2)
    if reference is None:
        write_differences(bits, _ALONE, newest.levels)
    else:
        write_differences(bits, _AFTER, newest.levels - reference)
    for told in older:
        bits.number(newest.ticks - told.ticks, _OFFSET_BITS)
        if told is older[0]:
            write_differences(bits, _BESIDE, told.levels - newest.levels)
        else:
            write_differences(bits, _BETWEEN, told.levels - _between(older[0], newest, told.ticks))
    return bits.finish()


def _between(old: _Told, new: _Told, ticks: int) -> Levels:
    """The levels at an instant between two motions, rounded half up."""
    span, part = new.ticks - old.ticks, ticks - old.ticks
    return (2 * (old.levels * (span - part) + new.levels * part) + span) // (2 * span)


class MotionDecoder:
    """Packets of one sender -> motions. Bounded memory and time whatever comes; never raises. One thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Levels] = OrderedDict()
        self._ticks: int | None = None
        self.dropped = 0
        """Packets that were damaged, of another version, or told from a motion that is not known here."""
        self.newest: int | None = None
        """Sequence number of the newest packet that was decoded: what to acknowledge."""
        self.acknowledged: int | None = None
        """What the other side acknowledged last."""
        self.repeat = True
        """Whether the other side misses packets, or has not yet said whether it does."""

    @property
    def misses(self) -> bool:
        """Whether packets of the last seconds are missing: what to tell the other side."""
        if self.newest is None:
            return False
        watched = [(self.newest - k) % _SEQUENCES in self._known for k in range(_WATCHED)]
        return False in watched[: len(self._known)]

    def push(self, packet: bytes) -> tuple[Motion, ...]:
        """The packet's motions, oldest first; none if it is dropped.

        Their `pts_ns` count on the sender's clock modulo 119 hours, from the first packet on without a break.
        """
        try:
            told = self._decoded(packet)
        except _DamagedError:
            self.dropped += 1
            return ()
        return tuple(to_motion(each.levels, each.ticks * TICK_NS) for each in told)

    def _decoded(self, packet: bytes) -> list[_Told]:
        """Raises _DamagedError."""
        if not _HEAD.size + _CHECK.size <= len(packet) <= MOST_BYTES or crc_hqx(packet, 0) != 0:
            raise _DamagedError
        first, sequence, wrapped = _HEAD.unpack_from(packet)
        version, flags, at = first >> 4, first & 15, _HEAD.size
        optional = bool(flags & _REFERENCE) + 2 * bool(flags & _ACKNOWLEDGES)
        if version != VERSION or flags > 7 or len(packet) < at + optional + _CHECK.size:
            raise _DamagedError
        reference = None
        if flags & _REFERENCE:
            reference = self._known.get((sequence - packet[at]) % _SEQUENCES)
            if reference is None:
                raise _DamagedError
            at += 1
        told = _motions(
            packet[at + 2 * bool(flags & _ACKNOWLEDGES) : -_CHECK.size], reference, self._unwrapped(wrapped)
        )
        if flags & _ACKNOWLEDGES:
            self.acknowledged = int.from_bytes(packet[at : at + 2], "big")
        self.repeat = bool(flags & _MISSES)
        self._ticks = told[-1].ticks
        if self.newest is None or (sequence - self.newest) % _SEQUENCES < _SEQUENCES // 2:
            self.newest = sequence
        _remember(self._known, sequence, told[-1].levels)
        return told

    def _unwrapped(self, wrapped: int) -> int:
        """The instant nearest to the last one."""
        if self._ticks is None:
            return wrapped
        return self._ticks + (wrapped - self._ticks + (1 << 31)) % (1 << 32) - (1 << 31)


class _DamagedError(Exception):
    """The packet is not one that an encoder sent to this decoder."""


def _motions(body: bytes, reference: Levels | None, ticks: int) -> list[_Told]:
    """Oldest first. Raises _DamagedError."""
    bits = BitReader(body)
    older = bits.number(2)
    if reference is None:
        newest = _Told(ticks, bounded(read_differences(bits, _ALONE)))
    else:
        newest = _Told(ticks, bounded(reference + read_differences(bits, _AFTER)))
    told: list[_Told] = []
    for _ in range(older):
        at = ticks - bits.number(_OFFSET_BITS)
        if not (told[-1].ticks if told else ticks - (1 << _OFFSET_BITS)) < at < ticks:
            raise _DamagedError
        if told:
            levels = _between(told[0], newest, at) + read_differences(bits, _BETWEEN)
        else:
            levels = newest.levels + read_differences(bits, _BESIDE)
        told.append(_Told(at, bounded(levels)))
    return [*told, newest]


def _remember(by_sequence: OrderedDict[int, Levels], sequence: int, levels: Levels) -> None:
    by_sequence[sequence] = levels
    by_sequence.move_to_end(sequence)
    while len(by_sequence) > _REMEMBERED:
        by_sequence.popitem(last=False)
