"""Frames of videos as one picture, a row per video, to look at what was made.

python scripts/contact_sheet.py OUT.jpg VIDEO [VIDEO ...] [--frames 8] [--width 200] [--face]
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from models.landmarks import find_faces
from models.topology import SURFACE_COUNT
from runtime.sources.media import ClipFrames


def row(path: Path, count: int, width: int, face: bool) -> np.ndarray:
    images = [frame.image for frame in ClipFrames(path)]
    chosen = [images[k] for k in np.linspace(0, len(images) - 1, count).astype(int)]
    if face:
        outline = find_faces(images[0])[0][:SURFACE_COUNT, :2]
        x, y = ((outline.min(0) + outline.max(0)) / 2).astype(int)
        half = int(0.85 * np.ptp(outline[:, 1]))
        chosen = [image[max(y - half, 0) : y + half, max(x - half, 0) : x + half] for image in chosen]
    height = round(width * chosen[0].shape[0] / chosen[0].shape[1])
    return np.hstack([cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in chosen])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--width", type=int, default=200)
    parser.add_argument("--face", action="store_true", help="cut out the face of the first frame")
    arguments = parser.parse_args()
    rows = [row(path, arguments.frames, arguments.width, arguments.face) for path in arguments.videos]
    Image.fromarray(np.vstack(rows)).save(arguments.out, quality=88)
    print(arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
