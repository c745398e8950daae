"""Differences of levels <-> bits."""

from bisect import bisect
from functools import lru_cache

import numpy as np

from models.wire.bits import EVEN, ONE, BitReader, BitWriter
from models.wire.levels import Levels
from models.wire.tables import BINS, HINTS, LONGEST, UNARY, Tables, load_tables

Lists = tuple[list[list[int]], list[int], list[list[int]], list[int]]

BEFORE, MUCH = 6, 3
"""Levels before one whose differences count for its context, each by no more than the second."""
ACTIVE = (1, 2, 4, 7)
"""Least sums of them for the activities beyond the first."""


class FarError(Exception):
    """A difference is greater than any between two levels within their bounds."""


def write_differences(bits: BitWriter, kind: int, differences: Levels, hints: Levels) -> None:
    """`kind`: index into `KINDS`, which says how likely what is; `hints`: how far levels are known to move beside.

    No difference is greater than `REACH`.
    """
    (zero, against, more, _), before = _lists(load_tables(), kind), [0] * BEFORE
    for i, (difference, hint) in enumerate(zip(differences.tolist(), hints.tolist(), strict=True)):
        bits.bit(difference != 0, zero[i][_context(before, hint)])
        if difference != 0:
            bits.bit(difference < 0, _negative(hint, against[i]))
            _write_magnitude(bits, abs(difference) - 1, more[i])
        before[i % BEFORE] = min(abs(difference), MUCH)


def read_differences(bits: BitReader, kind: int, hints: Levels) -> Levels:
    """The differences, in bounded time and of bounded size. Raises EndError and FarError."""
    (zero, against, more, farthest), before = _lists(load_tables(), kind), [0] * BEFORE
    out = [0] * len(zero)
    for i, hint in enumerate(hints.tolist()):
        magnitude = 0
        if bits.bit(zero[i][_context(before, hint)]):
            negative = bits.bit(_negative(hint, against[i]))
            magnitude = _read_magnitude(bits, more[i]) + 1
            if magnitude > farthest[i]:
                raise FarError
            out[i] = -magnitude if negative else magnitude
        before[i % BEFORE] = min(magnitude, MUCH)
    return np.array(out, np.int32)


@lru_cache(4)
def _lists(tables: Tables, kind: int) -> Lists:
    """Of the tables `zero`, `against` and `more`, and twice the bounds."""
    each = (tables.zero[kind], tables.against[kind], tables.more[kind], 2 * tables.bounds)
    zero, against, more, farthest = (part.tolist() for part in each)
    return zero, against, more, farthest


def _context(before: list[int], hint: int) -> int:
    return HINTS * bisect(ACTIVE, sum(before)) + min(abs(hint), HINTS - 1)


def _negative(hint: int, against: int) -> int:
    """The chance of a minus."""
    return against if hint > 0 else ONE - against if hint < 0 else EVEN


def _write_magnitude(bits: BitWriter, value: int, more: list[int]) -> None:
    for k in range(UNARY):
        bits.bit(value > k, more[min(k, BINS - 1)])
        if value <= k:
            return
    rest = value - UNARY + 1
    length = rest.bit_length() - 1
    for _ in range(length):
        bits.bit(1, EVEN)
    if length < LONGEST - 1:
        bits.bit(0, EVEN)
    bits.number(rest - (1 << length), length)


def _read_magnitude(bits: BitReader, more: list[int]) -> int:
    for k in range(UNARY):
        if not bits.bit(more[min(k, BINS - 1)]):
            return k
    length = 0
    while length < LONGEST - 1 and bits.bit(EVEN):
        length += 1
    return UNARY + (1 << length) - 1 + bits.number(length)
