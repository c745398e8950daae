"""When the camera's mouth is believed, in `--mode both`: clips as they are, and with things painted over their mouths.

    python scripts/measure_mouth_sight.py CLIP [CLIP ...] [--seconds 6.5] [--grey] [--only NAME ...]

Every three seconds a thing comes within 120 ms, stays for a second and goes (see `occluders.py`). Faces are tracked in
the painted pictures, and driver and mix run as they do in `agent run`: "camera" is the mouth's weight in the mix.

First table: frames in which the camera's mouth has less than half of the weight although it is seen. Second: how often
it has less than half within 200 ms of the thing being there, and again more than half within 400 ms of its leaving; the
medians and worst of both; and hidden frames, later than 200 ms, in which it still has half.
"""

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from occluders import OCCLUDERS, SIGHTS, Paint, grey

from models.face import load_face_model
from models.landmarks import Landmarks, MediapipeTracker
from models.motion import Motion, expression
from runtime.drivers.face_video import FaceVideo
from runtime.drivers.mouth_sight import MouthSight
from runtime.frame import Frame
from runtime.mix import mix
from runtime.sources.media import ClipFrames

FIRST_S, EVERY_S, STAY_S, COMING_S = 1.4, 3.0, 1.0, 0.12
FOUND_S, BACK_S = 0.2, 0.4


@dataclass(frozen=True)
class Clip:
    """Frames and where their faces are."""

    frames: list[Frame]
    faces: list[Landmarks | None]

    @property
    def visits(self) -> list[float]:
        """Seconds at which the thing is there."""
        last_s = self.frames[-1].pts_ns / 1e9
        return [float(s) for s in np.arange(FIRST_S, last_s - STAY_S - BACK_S, EVERY_S)]


def read(path: Path, seconds: float) -> Clip:
    frames = [frame for frame in ClipFrames(path) if frame.pts_ns < seconds * 1e9]
    tracker = MediapipeTracker()
    faces = [tracker.track(frame.image) for frame in frames]
    tracker.close()
    return Clip(frames, faces)


def come(second: float, visits: list[float]) -> float:
    """How far the thing has come, 0..1."""
    outside = [max(start - second, second - start - STAY_S, 0.0) for start in visits]
    return max(0.0, 1 - min(outside, default=np.inf) / COMING_S)


def believed(clip: Clip, paint: Paint, monochrome: bool) -> np.ndarray:
    """The camera's weight [frames] of the mouth in the mix."""
    random = np.random.default_rng(0)
    driver = FaceVideo(MediapipeTracker(), load_face_model(), sight=MouthSight(load_face_model()))
    wide = expression(jawOpen=1.0)
    out = []
    for frame, face in zip(clip.frames, clip.faces, strict=True):
        image = frame.image
        if face is not None:
            image = paint(image, face, come(frame.pts_ns / 1e9, clip.visits), random)
            image = grey(image, face, 1.0, random) if monochrome else image
        (motion,) = driver.push(Frame(np.ascontiguousarray(image), frame.pts_ns))
        seen = replace(motion, expression=wide, surface=None)
        out.append(mix("both", frame.pts_ns, Motion(frame.pts_ns), seen, None)["jawOpen"])
    driver.close()
    return np.array(out)


def first_s(at_s: np.ndarray, holds: np.ndarray, since_s: float, until_s: float) -> float:
    """Seconds from `since_s` until it holds; infinite if not before `until_s`."""
    when = at_s[holds & (at_s >= since_s) & (at_s < until_s)]
    return float(when[0] - since_s) if len(when) else np.inf


def visit_row(clips: list[Clip], paint: Paint, monochrome: bool) -> str:
    found, back, hidden = [], [], []
    for clip in clips:
        at_s = np.array([frame.pts_ns for frame in clip.frames]) / 1e9
        weights = believed(clip, paint, monochrome)
        for start in clip.visits:
            end = start + STAY_S
            found.append(first_s(at_s, weights < 0.5, start, end))
            back.append(first_s(at_s, weights >= 0.5, end, end + EVERY_S - STAY_S))
            hidden.extend(weights[(at_s >= start + FOUND_S) & (at_s < end)] >= 0.5)
    return (
        f"{len(found)} | {np.mean(np.array(found) <= FOUND_S):.0%} | {1e3 * np.median(found):.0f} / "
        f"{1e3 * max(found):.0f} | {np.mean(np.array(back) <= BACK_S):.0%} | {1e3 * np.median(back):.0f} / "
        f"{1e3 * max(back):.0f} | {np.mean(hidden):.1%}"
    )


def cost_ms(clip: Clip) -> float:
    """Median processor time of one look."""
    sight, times = MouthSight(load_face_model()), []
    for frame, face in zip(clip.frames, clip.faces, strict=True):
        if face is not None:
            start = time.process_time()
            sight(frame.image, face, frame.pts_ns)
            times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=6.5, help="of each clip that are looked at")
    parser.add_argument("--grey", action="store_true", help="things before a monochrome camera")
    parser.add_argument("--only", nargs="*", default=[*SIGHTS, *OCCLUDERS], help="these rows")
    arguments = parser.parse_args()
    clips = [read(path, arguments.seconds) for path in arguments.clips]
    print(f"one look: {cost_ms(clips[0]):.3f} ms", flush=True)
    print("| seen | frames | false alarms |\n| --- | --- | --- |")
    for name in (name for name in SIGHTS if name in arguments.only):
        weights = np.concatenate([believed(clip, SIGHTS[name], arguments.grey) for clip in clips])
        print(f"| {name} | {len(weights)} | {np.mean(weights < 0.5):.1%} |", flush=True)
    print("| hidden by | times | found | ms | back | ms | missed |\n|" + " --- |" * 7)
    for name in (name for name in OCCLUDERS if name in arguments.only):
        print(f"| {name} | {visit_row(clips, OCCLUDERS[name], arguments.grey)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
