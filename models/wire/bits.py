"""A binary arithmetic coder with fixed 12-bit probabilities: integers only, the same in any language.

An interval [low, high] of 32-bit numbers is cut at each bit in proportion to its probability; leading bytes on which
both ends agree leave. The packet ends with few bytes that tell the last interval; the decoder reads some zeros beyond.
"""

ONE = 1 << 12
"""Probabilities count in 1 / ONE; 1 to ONE - 1 are allowed."""
EVEN = ONE // 2
_MASK, _TOP = 0xFFFF_FFFF, 0xFF00_0000
_LEFT_OUT = 4  # most zero bytes at the end that are not written


class EndError(Exception):
    """More was read than any writer has left out."""


class BitWriter:
    """Bits with probabilities -> bytes."""

    def __init__(self) -> None:
        self._low, self._high = 0, _MASK
        self._out = bytearray()

    def bit(self, bit: int, p_one: int) -> None:
        """Writes one bit; `p_one` / ONE is the chance that it is 1."""
        middle = self._low + ((self._high - self._low) >> 12) * p_one
        if bit:
            self._high = middle
        else:
            self._low = middle + 1
        while not (self._low ^ self._high) & _TOP:
            self._out.append(self._high >> 24)
            self._low = (self._low << 8) & _MASK
            self._high = (self._high << 8) & _MASK | 0xFF

    def number(self, value: int, bits: int) -> None:
        """Writes `value` 0..2**bits - 1, all equally likely, highest bit first."""
        for shift in reversed(range(bits)):
            self.bit(value >> shift & 1, EVEN)

    def finish(self) -> bytes:
        """All bytes; nothing can be written afterwards."""
        for count in range(5):
            unknown = (1 << (32 - 8 * count)) - 1
            end = self._low + unknown & ~unknown
            if end <= self._high:
                break
        self._out += end.to_bytes(4, "big")[:count]
        told = bytes(self._out)
        return told[:-_LEFT_OUT] + told[-_LEFT_OUT:].rstrip(b"\0")


class BitReader:
    """Bytes -> the bits that were written."""

    def __init__(self, data: bytes) -> None:
        self._data, self._next = data + bytes(4 + _LEFT_OUT), 4
        self._low, self._high = 0, _MASK
        self._code = int.from_bytes(self._data[:4], "big")

    def bit(self, p_one: int) -> int:
        """Reads one bit. Raises EndError."""
        middle = self._low + ((self._high - self._low) >> 12) * p_one
        bit = int(self._code <= middle)
        if bit:
            self._high = middle
        else:
            self._low = middle + 1
        while not (self._low ^ self._high) & _TOP:
            self._low = (self._low << 8) & _MASK
            self._high = (self._high << 8) & _MASK | 0xFF
            if self._next == len(self._data):
                raise EndError
            self._code = (self._code << 8) & _MASK | self._data[self._next]
            self._next += 1
        return bit

    def number(self, bits: int) -> int:
        """Reads a number of so many bits. Raises EndError."""
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit(EVEN)
        return value
