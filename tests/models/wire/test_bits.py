import numpy as np
import pytest

from models.wire.bits import EVEN, ONE, BitReader, BitWriter


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


def test_any_bytes_can_be_read_beyond_their_end() -> None:
    reader = BitReader(b"\x5a")
    assert {reader.bit(EVEN) for _ in range(100)} <= {0, 1}
