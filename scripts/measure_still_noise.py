"""How much an engine's face trembles when its driver keeps still: the noise of the camera is all that moves.

    python scripts/measure_still_noise.py small CLIP.mp4 [CLIP.mp4 ...]

A clip's first frame is the portrait and, with sensor noise of 2 grey levels, each frame of the driver. Grey levels; at
most 0.5 is asked.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from measure_self_reenactment import SIZE, frames

from agent.engines import open_engine
from calibration.portrait import prepare_portrait
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from models.topology import FACE_OVAL
from runtime.drivers.face_video import FaceVideo
from runtime.engines import Engine
from runtime.frame import Frame

STILL_FRAMES, SENSOR_NOISE = 50, 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", help="as in agent run")
    parser.add_argument("clips", type=Path, nargs="+")
    options = parser.parse_args()
    engine = open_engine(options.engine)
    for path in options.clips:
        print(f"{path.stem:28s}{still_noise(path, engine):8.2f}", flush=True)
    engine.close()


def face_mask(landmarks: np.ndarray) -> np.ndarray:
    mask = np.zeros(SIZE[::-1], np.uint8)
    cv2.fillPoly(mask, [landmarks[FACE_OVAL, :2].astype(np.int32)], 1)
    return mask > 0


def settled(image: np.ndarray) -> np.ndarray:
    """Landmarks after the tracker has seen the same picture a few times."""
    tracker = MediapipeTracker()
    found = [tracker.track(image) for _ in range(8)][-1]
    tracker.close()
    if found is None:
        raise SystemExit("the tracker finds no face in what was drawn")
    return found


def still_noise(path: Path, engine: Engine[Any]) -> float:
    """Mean absolute change per frame in the face, in grey levels, when the driver is one frame with sensor noise."""
    first = next(frames(path))
    avatar = engine.prepare(prepare_portrait(first.image, SIZE, name=path.name))
    driver, random = FaceVideo(MediapipeTracker(), load_face_model()), np.random.default_rng(0)
    pictures = []
    for k in range(STILL_FRAMES):
        noisy = first.image + random.normal(0, SENSOR_NOISE, first.image.shape)
        (motion,) = driver.push(Frame(np.clip(noisy + 0.5, 0, 255).astype(np.uint8), round(k * 1e9 / 25)))
        pictures.append(engine.render(avatar, motion).astype(np.float32))
    driver.close()
    found = settled(first.image)
    changes = np.abs(np.diff(np.stack(pictures[5:]), axis=0)).mean((0, 3))
    return float(changes[face_mask(found)].mean())


if __name__ == "__main__":
    main()
