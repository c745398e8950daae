"""How well motion is predicted when only every second frame of a camera is looked at.

    python scripts/measure_prediction.py CLIP...

Each clip is tracked frame by frame, and again at every second frame, where the others are predicted with several parts
of the last velocity. Prints, against every frame tracked, root mean squares of the head's turn in degrees and of face
and lips in eye distances, over the predicted frames; and of the turn's second difference over all frames: stutter.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from models.face import FaceModel, load_face_model
from models.landmarks import MediapipeTracker
from models.motion import Motion
from models.topology import INNER_LIPS
from runtime.drivers import prediction
from runtime.drivers.face_video import FaceVideo
from runtime.frame import Frame
from runtime.sources.media import ClipFrames

FRAMES = 200
DAMPINGS = (0.0, 0.25, 0.5, 0.75, 1.0)


def tracked(frames: list[Frame], model: FaceModel) -> list[Motion]:
    driver = FaceVideo(MediapipeTracker(), model)
    motions = [driver.push(frame)[0] for frame in frames]
    driver.close()
    return motions


def filled(seen: list[Motion], frames: list[Frame], damping: float) -> list[Motion]:
    """The motions of all frames, of which every second one was seen."""
    prediction._DAMPING = damping  # type: ignore[misc]
    predicted, out = prediction.Prediction(), []
    for k, frame in enumerate(frames):
        if k % 2 == 0:
            predicted.learn(seen[k // 2])
        out.append(seen[k // 2] if k % 2 == 0 else predicted.at(frame.pts_ns) or seen[k // 2])
    return out


def surface(motion: Motion, model: FaceModel) -> np.ndarray:
    moved = np.tensordot(motion.expression, model.expression, 1)
    return moved if motion.surface is None else moved + motion.surface


def rms(values: list[np.ndarray]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def stutter(motions: list[Motion]) -> float:
    return float(np.rad2deg(rms(list(np.diff([m.rotation for m in motions[2:]], n=2, axis=0)))))


def main() -> int:
    cv2.setNumThreads(1)
    model = load_face_model()
    print(f"{'clip':20s}{'velocity':>9s}{'turn':>8s}{'face':>9s}{'lips':>9s}{'stutter':>9s}{'tracked':>9s}")
    for path in map(Path, sys.argv[1:]):
        frames = list(islice(ClipFrames(path), FRAMES))
        whole, seen = tracked(frames, model), tracked(frames[::2], model)
        for damping in DAMPINGS:
            motions = filled(seen, frames, damping)
            pairs = list(zip(motions, whole, strict=True))[3::2]
            turn = np.rad2deg(rms([a.rotation - b.rotation for a, b in pairs]))
            faces = [surface(a, model) - surface(b, model) for a, b in pairs]
            print(f"{path.stem:20s}{damping:9.2f}{turn:8.3f}{rms(faces):9.4f}{rms([f[INNER_LIPS] for f in faces]):9.4f}"
                  f"{stutter(motions):9.3f}{stutter(whole):9.3f}", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
