"""What motion costs on the wire and how near it comes to what was sent, clip by clip.

    python scripts/measure_motion_codec.py CLIP [CLIP ...]

Payload and wire are kbit/s of one direction at 25 motions a second, in packets of two new motions; the wire counts IP,
UDP, DTLS and SCTP heads of 85 bytes a packet. "alone" is without acknowledgements and with motions told twice, the
others with acknowledgements of 240 ms ago: while many packets are lost, while some are, and "once" while none is, which
is what errors and the wire are of.
Errors are distances of face points from those of the motions that were sent, in eye distances: mean over all points,
and over the lips; "dB" compares pictures of the bundled portrait by the built-in engine (every tenth motion, the face).
"surface" is how far the face points of the same coefficients are from the tracked ones, which do not travel.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import sys
from pathlib import Path

import numpy as np
from motions import FPS, motions_of

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.face import load_face_model
from models.motion import Motion
from models.motion_codec import Losses, MotionDecoder, MotionEncoder
from models.topology import INNER_LIPS, OUTER_LIPS
from runtime.engines.builtin import BuiltinEngine

OVERHEAD = 85  # bytes: 20 IP, 8 UDP, 29 DTLS, 28 SCTP
ACKNOWLEDGED = 3  # packets
EXAMPLE = Path(__file__).parents[1] / "agent" / "example" / "portrait.png"
SHAPES = load_face_model().expression
LIPS = np.concatenate([INNER_LIPS, OUTER_LIPS])


def send(motions: list[Motion], acknowledge: bool, losses: Losses) -> tuple[list[Motion], list[int]]:
    """What arrives, and the packets' sizes."""
    encoder, decoder = MotionEncoder(), MotionDecoder()
    arrived: dict[int, Motion] = {}
    sizes: list[int] = []
    for motion in motions:
        packet = encoder.push(motion, acknowledge=len(sizes) % 256, losses_there=losses)
        if packet is None:
            continue
        sizes.append(len(packet))
        arrived = {told.pts_ns: told for told in decoder.push(packet)} | arrived
        if acknowledge and len(sizes) > ACKNOWLEDGED:
            encoder.acknowledged((len(sizes) - 1 - ACKNOWLEDGED) % 256)
    return [arrived[pts_ns] for pts_ns in sorted(arrived)], sizes


def distances(sent: list[Motion], got: list[Motion]) -> np.ndarray:
    """[n, 478] eye distances, in the picture of a face that looks this way."""
    off = np.array([b.expression - a.expression for a, b in zip(sent, got, strict=True)])
    return np.linalg.norm(np.einsum("ti,ipk->tpk", off, SHAPES)[..., :2], axis=2)


def main() -> None:
    engine = BuiltinEngine()
    portrait = prepare_portrait(read_photo(EXAMPLE), (512, 512))
    avatar = engine.prepare(portrait)
    (x0, y0), (x1, y1) = (f(portrait.landmarks[:, :2], axis=0).astype(int) for f in (np.min, np.max))
    print("| motions | payload alone | many lost | some | once | wire | error | lips | dB | surface |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    totals = []
    for clip in map(Path, sys.argv[1:]):
        for kind, motions in zip(("video", "sound"), motions_of(clip), strict=False):
            even = [motion.at(round(k * 1e9 / FPS)) for k, motion in enumerate(motions[: len(motions) // 2 * 2])]
            seconds = len(even) / FPS
            rates = []
            for acknowledge, losses in ((False, Losses.SOME), *((True, losses) for losses in reversed(Losses))):
                got, sizes = send(even, acknowledge, losses)
                rates.append(sum(sizes) * 8 / seconds / 1000)
            wire = rates[3] + len(sizes) * OVERHEAD * 8 / seconds / 1000
            error = distances(even, got)
            decibels = []
            for a, b in list(zip(even, got, strict=True))[::10]:
                plain = Motion(a.pts_ns, a.expression, a.rotation, a.translation)
                first, second = (engine.render(avatar, m)[y0:y1, x0:x1].astype(float) for m in (plain, b))
                decibels.append(10 * np.log10(255**2 / max(np.mean((first - second) ** 2), 1e-3)))
            surfaces = [np.linalg.norm(m.surface[:, :2], axis=1).mean() for m in even if m.surface is not None]
            surface = f"{np.mean(surfaces):.4f}" if surfaces else ""
            row = (*rates, wire, error.mean(), error[:, LIPS].mean())
            totals.append(row)
            told = " | ".join(f"{rate:.1f}" for rate in row[:5])
            print(f"| {clip.stem} {kind} | {told} | {row[5]:.4f} | {row[6]:.4f} | {min(decibels):.1f} | {surface} |",
                  flush=True)  # fmt: skip
    mean = np.mean(totals, axis=0)
    told = " | ".join(f"{rate:.1f}" for rate in mean[:5])
    print(f"| mean | {told} | {mean[5]:.4f} | {mean[6]:.4f} | | |")


if __name__ == "__main__":
    main()
