"""Motions that look like a talking head's, from a seed, and packets that no encoder makes."""

from binascii import crc_hqx

import numpy as np

from models.motion import COEFFICIENTS, Motion
from models.motion_codec import VERSION
from models.wire.bits import BitWriter
from models.wire.differences import write_differences
from models.wire.tables import load_tables


def talking(count: int, seed: int = 0, step_ns: int = 40_000_000, begin_ns: int = 5_000_000_000) -> list[Motion]:
    """Smooth movements of about a syllable's length."""
    draw = np.random.default_rng(seed)
    width = len(COEFFICIENTS) + 6
    noise = draw.standard_normal((count + 20, width))
    kernel = np.hanning(9)
    smooth = np.stack([np.convolve(noise[:, i], kernel / np.sqrt(np.sum(kernel**2)), "same") for i in range(width)], 1)
    values = smooth[10 : 10 + count] * draw.uniform(0.02, 0.2, width)
    values[:, : len(COEFFICIENTS)] = np.clip(values[:, : len(COEFFICIENTS)] * 2, -1, 1.5)
    values[:, len(COEFFICIENTS) :] *= 0.3
    rows = values.astype(np.float32)
    return [Motion(begin_ns + k * step_ns, row[:64], row[64:67], row[67:]) for k, row in enumerate(rows)]


def leaping(beyond: int) -> bytes:
    """A packet of one motion, of which one level is `beyond` farther away than any two may be from each other."""
    bounds, bits = load_tables().bounds, BitWriter()
    differences = np.zeros_like(bounds)
    differences[-1] = 2 * bounds[-1] + beyond
    write_differences(bits, 0, differences, np.zeros_like(bounds))
    bits.number(0, 2)
    packet = bytes([VERSION << 4, 0, 0, 0]) + bits.finish()
    return packet + crc_hqx(packet, 0).to_bytes(2, "big")
