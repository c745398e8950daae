"""What the built-in engine's levels of quality save, and what they cost.

    python scripts/measure_levels.py OUT.png [PHOTO ...] [--size 512]

Prints, for each photo and level, the median CPU time of a picture and its PSNR against level 0, over motions of the
bundled speech with a head that turns. The sheet has a row for each photo and a column for each level.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from bench_builtin import PORTRAIT, cpu_ms, motions
from PIL import Image

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.metrics.pictures import psnr_db
from models.motion import Motion, expression
from runtime.engines.builtin import BuiltinEngine

SHOWN = Motion(0, expression(mouthNeutral=1, jawOpen=0.4, mouthSmileLeft=0.5), np.array([0.05, 0.2, 0.03], np.float32))


def turning(count: int) -> list[Motion]:
    turns = [np.array([0.05 * np.sin(k), 0.12 * np.cos(k), 0], np.float32) for k in range(count)]
    return [replace(m, rotation=m.rotation + turn) for m, turn in zip(motions(count), turns, strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("photos", type=Path, nargs="*", default=[PORTRAIT])
    parser.add_argument("--size", type=int, default=512)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    engine, rows = BuiltinEngine(), []
    print(f"{'photo':24s}{'level':>6s}{'CPU ms':>8s}{'PSNR':>7s}")
    for photo in given.photos:
        avatar = engine.prepare(prepare_portrait(read_photo(photo), (given.size, given.size)))
        moves = turning(60)
        best = [engine.render(avatar, move) for move in moves]
        for level in range(engine.levels):
            spent = [cpu_ms(lambda m=move, level=level: engine.render(avatar, m, level)) for move in moves]  # noqa: B023
            against = [psnr_db(engine.render(avatar, move, level), b) for move, b in zip(moves, best, strict=True)]
            print(f"{photo.stem:24s}{level:6d}{np.median(spent):8.2f}{np.median(against):7.1f}", flush=True)
        rows.append(np.hstack([engine.render(avatar, SHOWN, level) for level in range(engine.levels)]))
    Image.fromarray(np.vstack(rows)).save(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
