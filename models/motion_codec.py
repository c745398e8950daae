"""Motion <-> packets of a few dozen bytes, for a network that loses some of them. docs/motion_wire.md has every byte.

A packet carries a motion and those before it that would else need packets of their own; and, while the receiver misses
packets, the newest motion of the packet before once more, coarsely. While many are lost, there are more packets with
fewer motions. A packet can be decoded alone or, cheaper, against a motion that the receiver has acknowledged, which the
packet names. One that is lost takes nothing with it but its own motions, and one of those comes again.
"""

from binascii import crc_hqx
from collections import OrderedDict, deque
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise, takewhile
from struct import Struct

import numpy as np

from models.motion import Motion
from models.wire.bits import BitReader, BitWriter, EndError
from models.wire.differences import FarError, read_differences, write_differences
from models.wire.levels import Levels, bounded, to_levels, to_motion
from models.wire.tables import load_tables

VERSION = 3
TICK_NS = 500_000
"""Unit of time in packets."""
TICKS = 1 << 16
"""Times in packets count modulo so many: 32 seconds."""
MOST_MOTIONS = 4
MOST_BYTES = 1100
"""No packet is longer: it fits into a datagram on any network."""
COARSE = 3
"""Levels by which a repeated motion may be told wrong."""

_ALONE, _AFTER, _BESIDE, _BEYOND = range(4)
_HEAD = Struct(">BBH")
_CHECK = Struct(">H")
_REFERENCE, _ACKNOWLEDGES, _LOSSES = 1, 2, 4  # flags; from the last on, Losses
_SEQUENCES = 1 << 8
_REMEMBERED = 64
_DISTANCE_BITS, _OFFSET_BITS = 6, 9
_WATCHED = 50  # packets, 4 seconds, in which none should be missing
_MANY = 7  # of them
_FEWER = 3  # while so many are missing, every third packet brings one motion less


class Losses(IntEnum):
    """Of the last packets, how many have not come."""

    NONE = 0
    SOME = 1
    MANY = 2
    """More than one in eight."""


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
        self._most, self._wanted, self._fresh = motions_per_packet, motions_per_packet, 0
        self._recent: deque[_Told] = deque(maxlen=motions_per_packet + 1)
        self._sent: OrderedDict[int, Levels] = OrderedDict()
        self._sequence = 0
        self._reference: int | None = None

    @property
    def is_next_due(self) -> bool:
        """Whether the next motion makes a packet."""
        return self._fresh + 1 >= self._wanted

    def push(
        self,
        motion: Motion,
        acknowledge: int | None = None,
        *,
        losses_here: Losses = Losses.NONE,
        losses_there: Losses = Losses.SOME,
    ) -> bytes | None:
        """The next packet once enough motions are there for it, else None.

        Args:
            motion: later than all before.
            acknowledge: `MotionDecoder.newest` of the other direction, which travels along.
            losses_here: `MotionDecoder.losses_here` of the other direction, which travels along.
            losses_there: `MotionDecoder.losses_there` of the other direction: whether motions are repeated, and packets
                denser.
        """
        last = self._recent[-1].levels if self._recent else None
        self._recent.append(_Told(motion.pts_ns // TICK_NS, to_levels(motion, last)))
        self._fresh += 1
        if self._fresh < self._wanted:
            return None
        told = self._told(losses_there != Losses.NONE)
        packets = [self._packet(losses_here, told, None, acknowledge)]
        if self._reference in self._sent:
            packets.append(self._packet(losses_here, told, self._reference, acknowledge))
        _remember(self._sent, self._sequence, told[0].levels)
        self._sequence += 1
        fewer = losses_there == Losses.MANY and self._sequence % _FEWER == 0
        self._fresh, self._wanted = 0, max(1, self._most - fewer)
        return min(packets, key=len)

    def acknowledged(self, sequence: int) -> None:
        """The receiver has this packet. What it may no longer remember, or never got from here, is ignored."""
        known = self._sequence - (self._sequence - sequence) % _SEQUENCES
        if known in self._sent and (self._reference is None or known > self._reference):
            self._reference = known

    def _told(self, repeat: bool) -> list[_Told]:
        """The next packet's motions, newest first."""
        new, before = list(self._recent)[: -self._fresh - 1 : -1], list(self._recent)[: -self._fresh]
        if repeat and before:
            new.append(_coarse(before[-1], new[-1]))
        offsets = (later.ticks - told.ticks for later, told in pairwise(new))
        fitting = takewhile(lambda offset: 0 < offset < 1 << _OFFSET_BITS, offsets)
        return new[: 1 + sum(1 for _ in fitting)]

    def _packet(self, losses: Losses, told: list[_Told], reference: int | None, acknowledge: int | None) -> bytes:
        flags, optional, distance = losses * _LOSSES, b"", None
        if reference is not None:
            flags |= _REFERENCE
            distance = self._sequence - reference
        if acknowledge is not None:
            flags |= _ACKNOWLEDGES
            optional = bytes([acknowledge])
        head = _HEAD.pack(VERSION << 4 | flags, self._sequence % _SEQUENCES, told[0].ticks % TICKS) + optional
        packet = head + _body(told, distance, None if reference is None else self._sent[reference])
        return packet + _CHECK.pack(crc_hqx(packet, 0))


def _coarse(told: _Told, later: _Told) -> _Told:
    """A motion as it is repeated: small differences from the one after it are left out."""
    return _Told(told.ticks, np.where(np.abs(told.levels - later.levels) <= COARSE, later.levels, told.levels))


def _body(told: list[_Told], distance: int | None, reference: Levels | None) -> bytes:
    """`told`: newest first."""
    bits, newest = BitWriter(), told[0].levels
    hints = np.zeros_like(newest)
    if distance is None or reference is None:
        write_differences(bits, _ALONE, newest, hints)
    else:
        bits.number(distance - 1, _DISTANCE_BITS)
        write_differences(bits, _AFTER, newest - reference, hints)
        hints = newest - reference
    bits.number(len(told) - 1, 2)
    for later, each in pairwise(told):
        bits.number(later.ticks - each.ticks, _OFFSET_BITS)
        write_differences(bits, _BESIDE if later is told[0] else _BEYOND, each.levels - later.levels, hints)
        hints = each.levels - later.levels
    return bits.finish()


class MotionDecoder:
    """Packets of one sender -> motions. Bounded memory and time whatever comes; never raises. One thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Levels] = OrderedDict()
        self._newest: int | None = None
        self._ticks: int | None = None
        self.dropped = 0
        """Packets that were damaged, of another version, or told from a motion that is not known here."""
        self.acknowledged: int | None = None
        """What the other side acknowledged last."""
        self.losses_there = Losses.SOME
        """Of this side's packets at the other, as it said last; before it did, as if it missed some."""

    @property
    def newest(self) -> int | None:
        """Sequence number of the newest packet that was decoded: what to acknowledge."""
        return None if self._newest is None else self._newest % _SEQUENCES

    @property
    def losses_here(self) -> Losses:
        """Of the other side's packets of the last seconds: what to tell it."""
        if self._newest is None:
            return Losses.NONE
        watched = range(self._newest, self._newest - min(_WATCHED, len(self._known)), -1)
        missing = sum(sequence not in self._known for sequence in watched)
        return Losses.MANY if missing >= _MANY else Losses.SOME if missing else Losses.NONE

    def push(self, packet: bytes) -> tuple[Motion, ...]:
        """The packet's motions, oldest first; none if it is dropped.

        Their `pts_ns` count on the sender's clock modulo `TICKS`, from the first packet on without a break unless
        none comes for half of that.
        """
        try:
            told = self._decoded(packet)
        except (_DamagedError, EndError, FarError):
            self.dropped += 1
            return ()
        return tuple(to_motion(each.levels, each.ticks * TICK_NS) for each in reversed(told))

    def _decoded(self, packet: bytes) -> list[_Told]:
        """Newest first. Raises _DamagedError, EndError or FarError."""
        if not _HEAD.size + _CHECK.size <= len(packet) <= MOST_BYTES or crc_hqx(packet, 0) != 0:
            raise _DamagedError
        first, wrapped, ticks = _HEAD.unpack_from(packet)
        flags = first & 15
        acknowledges, losses = bool(flags & _ACKNOWLEDGES), flags // _LOSSES
        begin = _HEAD.size + acknowledges
        if first >> 4 != VERSION or losses > Losses.MANY or len(packet) < begin + _CHECK.size:
            raise _DamagedError
        sequence = _unwrapped(wrapped, self._newest, _SEQUENCES)
        bits = BitReader(packet[begin : -_CHECK.size])
        reference = None
        if flags & _REFERENCE:
            reference = self._known.get(sequence - 1 - bits.number(_DISTANCE_BITS))
            if reference is None:
                raise _DamagedError
        told = _motions(bits, reference, _unwrapped(ticks, self._ticks, TICKS))
        if acknowledges:
            self.acknowledged = packet[_HEAD.size]
        self.losses_there = Losses(losses)
        self._ticks = told[0].ticks
        self._newest = sequence if self._newest is None else max(sequence, self._newest)
        _remember(self._known, sequence, told[0].levels)
        return told


def _unwrapped(value: int, last: int | None, modulus: int) -> int:
    """The number nearest to the last one."""
    return value if last is None else last + (value - last + modulus // 2) % modulus - modulus // 2


class _DamagedError(Exception):
    """The packet is not one that an encoder sent to this decoder."""


def _motions(bits: BitReader, reference: Levels | None, ticks: int) -> list[_Told]:
    """Newest first. Raises _DamagedError, EndError or FarError."""
    hints = np.zeros_like(load_tables().bounds)
    if reference is None:
        levels = read_differences(bits, _ALONE, hints)
    else:
        hints = read_differences(bits, _AFTER, hints)
        levels = reference + hints
    told = [_Told(ticks, bounded(levels))]
    for kind in (_BESIDE, _BEYOND, _BEYOND)[: bits.number(2)]:
        offset = bits.number(_OFFSET_BITS)
        if offset == 0:
            raise _DamagedError
        hints = read_differences(bits, kind, hints)
        told.append(_Told(told[-1].ticks - offset, bounded(told[-1].levels + hints)))
    return told


def _remember(by_sequence: OrderedDict[int, Levels], sequence: int, levels: Levels) -> None:
    by_sequence[sequence] = levels
    by_sequence.move_to_end(sequence)
    while len(by_sequence) > _REMEMBERED:
        by_sequence.popitem(last=False)
