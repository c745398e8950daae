"""Throws damaged and forged packets at the motion decoder: it must never raise, hang or grow.

    python scripts/fuzz_motion_codec.py --inputs 1000000 [--seed 0]

A quarter are true packets, so that others find what they are told from; of the rest, mutants, cut and spliced packets,
packets with a tail, plain noise and differences beyond all bounds, half have a check that fits, so that they reach the
entropy decoder. Prints how many gave motions, how far memory grew, and what reading the worst packets costs.
"""

import argparse
import resource
import statistics
import time
from binascii import crc_hqx

import numpy as np

from models.motion import Motion
from models.motion_codec import MOST_BYTES, MOST_MOTIONS, VERSION, Losses, MotionDecoder, MotionEncoder
from models.wire.bits import BitWriter
from models.wire.differences import write_differences
from models.wire.tables import load_tables

FARTHEST = np.repeat([2, 1.5, 8], [64, 3, 3])
"""Greatest values of a motion that can be told."""


def packets(draw: np.random.Generator) -> list[bytes]:
    """Of a restless face that leaps at times, told alone and from acknowledged motions."""
    encoder, out = MotionEncoder(), []
    rows = np.sin(np.cumsum(draw.standard_normal((400, 70)) * 0.05, axis=0))
    rows[:, 64:67] /= 2
    rows[::5] = FARTHEST * draw.choice([-1, 1], rows[::5].shape)
    for k, row in enumerate(rows.astype(np.float32)):
        losses = Losses(k // 10 % 3)
        motion = Motion(k * 40_000_000, row[:64], row[64:67], row[67:])
        packet = encoder.push(motion, acknowledge=k % 256, losses_here=losses, losses_there=losses)
        if packet is not None:
            out.append(packet)
            encoder.acknowledged(max(0, len(out) - 4) % 256)
    return out


def mutant(draw: np.random.Generator, packet: bytes, other: bytes) -> bytes:
    out = bytearray(packet)
    match int(draw.integers(8)):
        case 6 | 7:
            return packet  # so that later ones find what they are told from
        case 0:
            out[int(draw.integers(len(out)))] ^= 1 << int(draw.integers(8))
        case 1:
            for _ in range(int(draw.integers(1, 12))):
                out[int(draw.integers(len(out)))] = int(draw.integers(256))
        case 2:
            del out[int(draw.integers(len(out))) :]
        case 3:
            at = int(draw.integers(min(len(out), len(other))))
            out[at:] = other[at:]
        case 4:
            out += draw.bytes(int(draw.integers(1, 1200)))
        case 5 if draw.random() < 0.8:
            out = bytearray(draw.bytes(int(draw.integers(0, 200))))
        case 5:
            out[5:] = bytes(int(draw.integers(2, MOST_BYTES - 4)))  # each difference the greatest that can be told
    return checked(out) if draw.random() < 0.5 and len(out) > 2 else bytes(out)


def checked(packet: bytes) -> bytes:
    """With the check that fits in the place of the last two bytes."""
    return bytes(packet[:-2]) + crc_hqx(bytes(packet[:-2]), 0).to_bytes(2, "big")


def farthest() -> bytes:
    """As many motions as a packet may hold, each as far from the next as any."""
    bits, bounds = BitWriter(), load_tables().bounds
    hints = np.zeros_like(bounds)
    write_differences(bits, 0, bounds, hints)
    bits.number(MOST_MOTIONS - 1, 2)
    for kind, times in ((2, -2), (3, 2), (3, -2)):
        bits.number(80, 9)
        write_differences(bits, kind, times * bounds, hints)
        hints = times * bounds
    return checked(bytes([VERSION << 4, 0, 0, 0]) + bits.finish() + bytes(2))


def cost_ms(packet: bytes) -> float:
    """Of reading a packet, the median of 100 times."""
    decoder, taken_ns = MotionDecoder(), []
    for _ in range(100):
        at_ns = time.thread_time_ns()
        decoder.push(packet)
        taken_ns.append(time.thread_time_ns() - at_ns)
    return statistics.median(taken_ns) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw, decoder, motions, longest = np.random.default_rng(options.seed), MotionDecoder(), 0, 0
    good = packets(draw)
    begun_ns, begun_kb = time.perf_counter_ns(), 0
    for k in range(options.inputs):
        packet = mutant(draw, good[k % len(good)], good[(7 * k) % len(good)])
        at_ns = time.thread_time_ns()
        for motion in decoder.push(packet):
            motions += 1
            if not np.isfinite(motion.expression).all() or np.abs(motion.expression).max() > 2:
                raise SystemExit(f"an impossible motion from {packet.hex()}")
        longest = max(longest, time.thread_time_ns() - at_ns)
        if k == options.inputs // 10:
            begun_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun_kb
    seconds = (time.perf_counter_ns() - begun_ns) / 1e9
    print(f"{options.inputs} inputs in {seconds:.0f} s, longest {longest / 1e6:.1f} ms: {decoder.dropped} dropped, "
          f"{motions} motions from the others, memory grew by {grown} KB after the first tenth")  # fmt: skip
    zeros = checked(bytes([VERSION << 4]) + bytes(999))
    print(f"1000 bytes of zeros behind a true head take {cost_ms(zeros):.2f} ms, four motions as far apart as any "
          f"({len(farthest())} bytes) {cost_ms(farthest()):.2f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
