"""What the truth guard finds in clips as they are, and with things painted into them.

    python scripts/measure_truth.py CLIP [CLIP ...] [--portrait PHOTO] [--seconds 12] [--only NAME ...]

The portrait is the clip's first frame, or a photo of anybody. Every six seconds something comes, stays for two and goes
(see `occluders.py`; "second person" is another face beside the first, "other light" half of the light with another
gamma, "side light" a lamp from one side). First table: verdicts in clips in which nothing happens. Second: how often
the right cause is told while the thing is there, after how many milliseconds, and how long after it left the verdict
ends; and looks with another cause. Both from frames every 150 ms, as in a call. Last: what one look costs.
"""

import argparse
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from occluders import OCCLUDERS, SIGHTS, Paint

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.bystanders import Bystanders
from models.face import load_face_model
from models.landmarks import Landmarks, MediapipeTracker
from models.motion import Motion
from models.one_face import OneFace
from runtime.drivers.face_video import FaceVideo
from runtime.frame import Frame
from runtime.sources.media import ClipFrames
from runtime.truth.guard import EVERY_NS, Examiner, Seen
from runtime.truth.verdict import Cause

FIRST_S, EVERY_S, STAY_S, COMING_S = 2.5, 6.0, 2.0, 0.12
SIDE_PX = 128  # of the drawn picture


def beside(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """Somebody else comes into the picture from the right."""
    side = round(0.6 * image.shape[0])
    face = cv2.resize(_visitor(), (side, side), interpolation=cv2.INTER_AREA)
    wide = cv2.copyMakeBorder(image, 0, 0, 0, side, cv2.BORDER_REPLICATE)
    shown = round(side * come)
    wide[-side:, image.shape[1] : image.shape[1] + shown] = face[:, :shown]
    return wide


@cache
def _visitor() -> np.ndarray:
    photo = read_photo(Path(__file__).parents[1] / "agent" / "example" / "portrait.png")
    return prepare_portrait(photo, (400, 400), framing="head").image


def other_light(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """Half of the light goes out."""
    return (255 * (1 - 0.5 * come) * (image / 255) ** (1 + 0.3 * come)).astype(np.uint8)


THINGS: dict[str, tuple[Paint, Cause]] = {
    **{name: (OCCLUDERS[name], "hidden") for name in ("hand", "chin rest", "mug", "blue mask", "red scarf")},
    "second person": (beside, "somebody else"),
    "other light": (other_light, "light"),
    "side light": (SIGHTS["lamp"], "light"),
}


@dataclass
class Outcome:
    """Of one clip with one thing."""

    at_s: list[float] = field(default_factory=list)
    causes: list[Cause | None] = field(default_factory=list)
    cost_ms: list[float] = field(default_factory=list)


def come(second: float) -> float:
    """How far the thing has come, 0..1."""
    phase = (second - FIRST_S) % EVERY_S if second > FIRST_S - COMING_S else STAY_S + 1
    phase = phase - EVERY_S if phase > EVERY_S - COMING_S else phase
    return float(np.clip(min(1 + phase / COMING_S, 1 + (STAY_S - phase) / COMING_S), 0, 1))


def frames(clip: Path, seconds: float) -> list[Frame]:
    """Of a clip, played forwards and backwards until the time is up."""
    read = list(ClipFrames(clip))
    step = read[1].pts_ns - read[0].pts_ns
    order = [*range(len(read)), *range(len(read) - 2, 0, -1)]
    return [Frame(read[order[k % len(order)]].image, k * step) for k in range(round(seconds * 1e9 / step))]


def watch(played: list[Frame], photo: np.ndarray, paint: Paint | None) -> Outcome:
    model, out, random = load_face_model(), Outcome(), np.random.default_rng(0)
    avatar = BuiltinAvatar(prepare_portrait(photo, (SIDE_PX, SIDE_PX), framing="head"), model)
    examiner, tracker = Examiner(avatar, Bystanders()), MediapipeTracker()
    next_ns = 0

    def look(frame: Frame, landmarks: Landmarks | None, motion: Motion) -> None:
        nonlocal next_ns
        if frame.pts_ns < next_ns:
            return
        next_ns = frame.pts_ns + EVERY_NS
        begun = time.thread_time()
        examiner.examine(Seen(frame, landmarks, motion))
        out.cost_ms.append(1e3 * (time.thread_time() - begun))
        out.at_s.append(frame.pts_ns / 1e9)
        out.causes.append(examiner.verdict.cause)

    driver = FaceVideo(OneFace(MediapipeTracker()), model, watch=look)
    for frame in played:
        image = frame.image
        face = tracker.track(image) if paint is not None else None
        if paint is not None and face is not None:
            image = np.ascontiguousarray(paint(image, face, come(frame.pts_ns / 1e9), random))
        driver.push(Frame(image, frame.pts_ns))
    driver.close()
    return out


def visits(outcome: Outcome, right: Cause) -> tuple[list[float], list[float], float]:
    """Seconds until told, seconds from its leaving until that ends; and the part of all looks with another cause."""
    found, left = [], []
    at_s, told = np.array(outcome.at_s), np.array([cause == right for cause in outcome.causes])
    for start in np.arange(FIRST_S, at_s[-1] - STAY_S - 2.5, EVERY_S):
        found.append(first(at_s, told, start, start + STAY_S + 0.5) - start)
        left.append(first(at_s, ~told, start + STAY_S, start + EVERY_S) - start - STAY_S)
    return found, left, float(np.mean([cause not in (None, right) for cause in outcome.causes]))


def first(at_s: np.ndarray, holds: np.ndarray, since_s: float, until_s: float) -> float:
    when = at_s[holds & (at_s >= since_s) & (at_s < until_s)]
    return float(when[0]) if len(when) else np.inf


def alarms(outcome: Outcome) -> list[Cause]:
    """Each time that a cause begins to be told."""
    before = [None, *outcome.causes]
    return [now for now, was in zip(outcome.causes, before, strict=False) if now is not None and now != was]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--portrait", type=Path, help="a photo of somebody else")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each clip, played forwards and backwards")
    parser.add_argument("--only", nargs="*", default=list(THINGS), help="these things")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    played = {clip: frames(clip, arguments.seconds) for clip in arguments.clips}
    other = None if arguments.portrait is None else read_photo(arguments.portrait)
    photos = {clip: played[clip][0].image if other is None else other for clip in played}
    costs = []
    print("| clip | false alarms | seconds |\n| --- | --- | --- |")
    for clip, shown in played.items():
        outcome = watch(shown, photos[clip], None)
        costs.extend(outcome.cost_ms)
        print(f"| {clip.name} | {alarms(outcome)} | {arguments.seconds:g} |", flush=True)
    print("| thing | times | found | ms | leaves after ms | other causes |\n|" + " --- |" * 6)
    for name in arguments.only:
        paint, right = THINGS[name]
        rows = [visits(watch(shown, photos[clip], paint), right) for clip, shown in played.items()]
        found, left = (np.array([value for row in rows for value in row[k]]) for k in (0, 1))
        other_causes = np.mean([row[2] for row in rows])
        told = np.isfinite(found)
        times = f"{1e3 * np.median(found):.0f} / {1e3 * found.max():.0f} | {1e3 * np.median(left[told]):.0f}"
        print(f"| {name} | {len(found)} | {told.mean():.0%} | {times} | {other_causes:.1%} |", flush=True)
    print(f"one look: {np.median(costs):.1f} ms of processor time, at most {max(costs):.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
