import numpy as np
import pytest

from models.wire.bits import EVEN, ONE, BitReader, BitWriter, EndError


@pytest.mark.parametrize("seed", range(8))
def test_bits_come_back_whatever_their_chances(seed: int) -> None:
    draw = np.random.default_rng(seed)
    count = int(draw.integers(0, 600))
    chances = draw.choice([1, 40, EVEN, ONE - 40, ONE - 1], count).tolist()
    bits = (draw.random(count) < np.array(chances) / ONE).astype(int).tolist()
    if seed % 2:
        bits = [1 - bit for bit in bits]  # the unlikely ones, too
    writer = BitWriter()
    for bit, chance in zip(bits, chances, strict=True):
        writer.bit(bit, chance)
    reader = BitReader(writer.finish())
    assert [reader.bit(chance) for chance in chances] == bits


def test_likely_bits_cost_little() -> None:
    writer = BitWriter()
    for _ in range(4000):
        writer.bit(0, ONE // 64)
    assert len(writer.finish()) < 4000 * 0.0228 / 8 * 1.1 + 4  # -log2(63/64) bits each


def test_numbers_come_back() -> None:
    writer = BitWriter()
    for value in (0, 1, 1000, 4095):
        writer.number(value, 12)
    reader = BitReader(writer.finish())
    assert [reader.number(12) for _ in range(4)] == [0, 1, 1000, 4095]


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 64, 90, 400])
@pytest.mark.parametrize("last", [0, 1])
def test_what_ends_in_many_equal_bits_comes_back(count: int, last: int) -> None:
    bits = [1, 0, 1] + [last] * count
    writer = BitWriter()
    for bit in bits:
        writer.bit(bit, EVEN)
    reader = BitReader(writer.finish())
    assert [reader.bit(EVEN) for _ in bits] == bits


@pytest.mark.parametrize("data", [b"", bytes(3), bytes(40)])
def test_nobody_reads_far_beyond_the_end(data: bytes) -> None:
    reader, bits = BitReader(data), list[int]()
    with pytest.raises(EndError):
        while len(bits) < 1000:
            bits.append(reader.bit(EVEN))
    assert set(bits) == {1}
    assert 8 * len(data) < len(bits) < 8 * len(data) + 80
