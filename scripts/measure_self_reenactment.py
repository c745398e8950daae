"""How faithfully a face drives its own first frame: landmark error and PSNR, clip by clip.

    python scripts/measure_self_reenactment.py CLIP.mp4 [CLIP.mp4 ...]

The first frame is the portrait, the whole clip the driver; the output is re-detected and compared with the clip.
`agent eval` compares engines; this compares ways of moving one. Landmark errors are mean distances over the 478 points,
or those of a part, divided by the distance of the eye centres.
"still" is what the unmoved first frame would give, "64" the avatar moved by the coefficients alone, "surface" the
avatar as `agent run` moves it, with the tracked surface beside them, "mouth" the same under `--mouth driver`. Frames in
which the tracker finds no face in the output are left out of the errors and counted as lost; "mouth dB" is over what is
within the clip's outer lips.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from agent.eval.filmed import on_canvas
from calibration.portrait import prepare_portrait
from models.expression import EYES
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from models.metrics.pictures import psnr_db
from models.motion import Motion
from models.topology import FACE_OVAL, INNER_LIPS, LEFT_IRIS, OUTER_LIPS, RIGHT_IRIS
from runtime.drivers.face_video import FaceVideo
from runtime.drivers.mouth_cutter import MouthCutter
from runtime.engines.builtin import BuiltinEngine
from runtime.frame import Frame
from runtime.sources.media import ClipFrames
from runtime.torso import TorsoFollow

SIZE = (512, 512)
PARTS = {
    "all": np.arange(478),
    "lips": np.concatenate([INNER_LIPS, OUTER_LIPS]),
    "eyes": np.concatenate([eye.closed for eye in EYES]),
    "iris": np.array([RIGHT_IRIS[0], LEFT_IRIS[0]]),
}

DECIBELS = ("mouth dB", "face dB", "frame dB")


@dataclass
class Score:
    """Sums over the frames of one clip."""

    errors: list[dict[str, float]]
    mouth_psnr: list[float]
    face_psnr: list[float]
    frame_psnr: list[float]
    lost: int = 0

    def figures(self) -> dict[str, float]:
        """Means over the frames: landmark errors by part, then decibels."""
        errors = {part: float(np.mean([e[part] for e in self.errors])) for part in PARTS}
        decibels = zip(DECIBELS, (self.mouth_psnr, self.face_psnr, self.frame_psnr), strict=True)
        return errors | {name: float(np.mean(values)) for name, values in decibels}


class Judge:
    """Compares a sequence of pictures with the clip's landmarks and pixels."""

    def __init__(self) -> None:
        self._tracker = MediapipeTracker()
        self.score = Score([], [], [], [])

    def compare(self, picture: np.ndarray, truth: np.ndarray, landmarks: np.ndarray) -> None:
        found = self._tracker.track(picture)
        if found is None:
            self.score.lost += 1
        else:
            right, left = (landmarks[eye.closed, :2].mean(0) for eye in EYES)
            error = np.linalg.norm(found[:, :2] - landmarks[:, :2], axis=1) / np.linalg.norm(right - left)
            self.score.errors.append({part: float(error[index].mean()) for part, index in PARTS.items()})
        for outline, found_psnr in ((OUTER_LIPS, self.score.mouth_psnr), (FACE_OVAL, self.score.face_psnr)):
            part = np.zeros(truth.shape[:2], np.uint8)
            cv2.fillPoly(part, [landmarks[outline, :2].astype(np.int32)], 1)
            found_psnr.append(psnr_db(picture[part > 0], truth[part > 0]))
        self.score.frame_psnr.append(psnr_db(picture, truth))


def frames(path: Path) -> Iterator[Frame]:
    """The clip's frames on the output canvas, as the agent would show their portrait."""
    for frame in ClipFrames(path):
        yield Frame(on_canvas(frame.image, SIZE), frame.pts_ns)


def measure(path: Path) -> dict[str, Score]:
    model, engine = load_face_model(), BuiltinEngine()
    truth_tracker, driver = MediapipeTracker(), FaceVideo(MediapipeTracker(), model, mouth=MouthCutter(model))
    judges = {name: Judge() for name in ("still", "64", "surface", "mouth")}
    first: Frame | None = None
    follow = TorsoFollow()
    avatar = None
    for frame in frames(path):
        landmarks = truth_tracker.track(frame.image)
        (motion,) = driver.push(frame)
        if first is None:
            first = frame
            avatar = engine.prepare(prepare_portrait(frame.image, SIZE, name=path.name))
        if landmarks is None or frame is first:
            continue
        moved = follow(motion if motion.confidence else Motion(motion.pts_ns), frame.pts_ns)
        shown = {"still": first.image, "mouth": engine.render(avatar, moved)}
        shown["surface"] = engine.render(avatar, replace(moved, mouth=None))
        shown["64"] = engine.render(avatar, replace(moved, mouth=None, surface=None))
        for name, judge in judges.items():
            judge.compare(shown[name], frame.image, landmarks)
    return {name: judge.score for name, judge in judges.items()}


def main() -> int:
    paths = [Path(argument) for argument in sys.argv[1:]]
    if not paths:
        print(__doc__)
        return 2
    print(f"{'clip':28s}{'':10s}" + "".join(f"{h:>9s}" for h in (*PARTS, *DECIBELS, "lost")))
    rows: dict[str, list[Score]] = {}
    for path in paths:
        for name, score in measure(path).items():
            rows.setdefault(name, []).append(score)
            show(path.stem, name, score.figures(), score.lost)
    for name, scores in rows.items():
        show("mean", name, mean_figures(scores), sum(score.lost for score in scores))
    return 0


def mean_figures(scores: list[Score]) -> dict[str, float]:
    """Every clip counts alike."""
    every = [score.figures() for score in scores]
    return {name: float(np.mean([figures[name] for figures in every])) for name in every[0]}


def show(clip: str, name: str, figures: dict[str, float], lost: int) -> None:
    shown = [f"{value:9.2f}" if what in DECIBELS else f"{value:9.4f}" for what, value in figures.items()]
    print(f"{clip:28s}{name:10s}" + "".join(shown) + f"{lost:9d}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
