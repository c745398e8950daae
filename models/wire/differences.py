"""Differences of levels <-> bits."""

import numpy as np

from models.wire.bits import EVEN, BitReader, BitWriter
from models.wire.levels import Levels
from models.wire.tables import BINS, load_tables

_UNARY = 6  # magnitudes beyond so many unary bits are told by an Exp-Golomb code
_LONGEST = 10  # bits of that code's number


def write_differences(bits: BitWriter, kind: int, differences: Levels) -> None:
    """`kind`: index into `KINDS`, which says how likely what is."""
    tables, before = load_tables(), 0
    zero, more = tables.zero[kind].tolist(), tables.more[kind].tolist()
    for i, difference in enumerate(differences.tolist()):
        bits.bit(difference != 0, zero[i][before.bit_count()])
        if difference != 0:
            bits.bit(difference < 0, EVEN)
            _write_magnitude(bits, abs(difference) - 1, more[i])
        before = before << 1 & 3 | (difference != 0)


def read_differences(bits: BitReader, kind: int) -> Levels:
    """The differences; whatever the bits, in bounded time and of bounded size."""
    tables, before = load_tables(), 0
    zero, more = tables.zero[kind].tolist(), tables.more[kind].tolist()
    out = np.zeros(len(zero), np.int32)
    for i in range(len(zero)):
        some = bits.bit(zero[i][before.bit_count()])
        if some:
            negative = bits.bit(EVEN)
            magnitude = _read_magnitude(bits, more[i]) + 1
            out[i] = -magnitude if negative else magnitude
        before = before << 1 & 3 | some
    return out


def _write_magnitude(bits: BitWriter, value: int, more: list[int]) -> None:
    for k in range(_UNARY):
        bits.bit(value > k, more[min(k, BINS - 1)])
        if value <= k:
            return
    rest = min(value - _UNARY, (1 << _LONGEST) - 2) + 1
    length = rest.bit_length() - 1
    for _ in range(length):
        bits.bit(1, EVEN)
    if length < _LONGEST - 1:
        bits.bit(0, EVEN)
    bits.number(rest - (1 << length), length)


def _read_magnitude(bits: BitReader, more: list[int]) -> int:
    for k in range(_UNARY):
        if not bits.bit(more[min(k, BINS - 1)]):
            return k
    length = 0
    while length < _LONGEST - 1 and bits.bit(EVEN):
        length += 1
    return _UNARY + (1 << length) - 1 + bits.number(length)
