"""Every figure that the built-in engine is held to, beside what is asked of it.

    python scripts/measure_builtin.py --portraits PHOTO... --clips CLIP...   [--painted NAME...]

Portraits are judged at rest, with eyes closed, turned, and for holes; clips by self-reenactment (see
`measure_self_reenactment.py`) and for noise under a driver that keeps still (`measure_still_noise.py`). `--painted`
names the portraits (file names without ending) whose eyes a tracker reads less surely. Landmarks are re-detected in
what was drawn.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from bench_builtin import measure_speed
from measure_self_reenactment import DECIBELS, SIZE, mean_figures, measure, show
from measure_still_noise import face_mask, settled, still_noise

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.expression import EYES
from models.face import load_face_model
from models.metrics.pictures import psnr_db
from models.motion import Motion, expression
from models.pose import fit_pose
from models.topology import FACE_OVAL
from runtime.engines.builtin import BuiltinEngine

TURNS = {"yaw": (1, 20.0, 16.0), "pitch": (0, 12.0, 9.0)}  # axis, degrees asked, degrees demanded back


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=Path, nargs="*", default=[])
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--painted", nargs="*", default=[])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    judge = Verdict()
    judge.speed()
    for path in options.portraits:
        judge.portrait(path, path.stem in options.painted)
    judge.clips(options.clips)
    print(f"{judge.missed} of {judge.count} figures miss their demand")
    return 1 if judge.missed else 0


class Verdict:
    """Prints figures with their demands and counts those that miss."""

    def __init__(self) -> None:
        self.count, self.missed = 0, 0

    def say(self, what: str, figure: float, demand: float, *, at_least: bool = False) -> None:
        holds = figure >= demand if at_least else figure <= demand
        self.count, self.missed = self.count + 1, self.missed + (not holds)
        sign = ">=" if at_least else "<="
        print(f"{what:66s}{figure:10.4g}   {sign} {demand:<8g}{'' if holds else 'MISSED'}", flush=True)

    def speed(self) -> None:
        demands = {"render 512x512": 6.0, "render 1024x1024": 20.0, "video loop 512x512": 12.0, "build": 2000.0}
        demands |= {"load a known photo 512x512": 30.0, "prepare a known photo 512x512": 100.0}
        for what, figure in measure_speed().items():
            if what in demands:
                self.say(f"{what}, CPU ms", figure, demands[what])
            else:
                print(f"{what + ', CPU ms':58s}{figure:10.4g}")

    def portrait(self, path: Path, painted: bool) -> None:
        portrait = prepare_portrait(read_photo(path), SIZE, name=path.name)
        avatar = BuiltinAvatar(portrait, load_face_model())
        rest = avatar.render(Motion(0))
        face = face_mask(portrait.landmarks)
        self.say(f"{path.stem}: rest, face PSNR dB", psnr_db(rest[face], portrait.image[face]), 40, at_least=True)
        self.say(f"{path.stem}: rest, whole frame PSNR dB", psnr_db(rest, portrait.image), 34, at_least=True)
        shut = avatar.render(Motion(0, expression=expression(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)))
        openness = np.mean([eye.openness(settled(shut)) for eye in EYES])
        self.say(f"{path.stem}: openness of shut eyes", float(openness), 0.18 if painted else 0.12)
        for name, (axis, asked, demand) in TURNS.items():
            for sign in (1, -1):
                turned = turn(avatar, axis, sign * asked) * sign
                self.say(f"{path.stem}: {name} {sign * asked:+.0f}, re-detected degrees", turned, demand, at_least=True)
        holes = max(uncovered(avatar, motion) for motion in extremes())
        self.say(f"{path.stem}: uncovered pixels, worst of {len(list(extremes()))} poses", holes, 0)

    def clips(self, paths: list[Path]) -> None:
        scores = {path.stem: measure(path) for path in paths}
        moving = []
        for path, score in zip(paths, scores.values(), strict=True):
            still, alone, surface = (score[name].figures() for name in ("still", "64", "surface"))
            for name, figures in (("still", still), ("64", alone), ("surface", surface)):
                show(path.stem, name, figures, score[name].lost)
            gain = {name: surface[name] - still[name] for name in DECIBELS}
            self.say(f"{path.stem}: face PSNR over still, dB", gain["face dB"], -0.3, at_least=True)
            if still["all"] < NEAR_STILL:
                self.say(f"{path.stem}: frame PSNR over still, dB", gain["frame dB"], -0.5, at_least=True)
            else:
                moving.append(score)
            self.say(f"{path.stem}: still driver, grey levels per frame", still_noise(path, BuiltinEngine()), 0.5)
        if not scores:
            return
        surface, alone = (mean_figures([score[name] for score in scores.values()]) for name in ("surface", "64"))
        self.say("clips, mean landmark error, whole motion", surface["all"], 0.018)
        self.say("clips, mean landmark error, 64 coefficients", alone["all"], 0.022)
        for part, demand in (("lips", 0.019), ("eyes", 0.014), ("iris", 0.013)):
            self.say(f"clips, mean landmark error, {part}", surface[part], demand)
        if moving:
            still, moved = (mean_figures([score[name] for score in moving]) for name in ("still", "surface"))
            gain_db = moved["face dB"] - still["face dB"]
            self.say("clips that move, mean face PSNR over still, dB", gain_db, 5.5, at_least=True)


NEAR_STILL = 0.05
"""Clips whose landmarks are nearer than this to their first frame's, eye distances, count as near-still."""


def turn(avatar: BuiltinAvatar, axis: int, degrees: float) -> float:
    """How far the re-detected head turns about `axis` when asked to turn by `degrees`."""
    rotation = np.zeros(3, np.float32)
    rotation[axis] = np.deg2rad(degrees)
    mean = load_face_model().mean
    before = fit_pose(settled(avatar.render(Motion(0))), mean).rotation
    after = fit_pose(settled(avatar.render(Motion(0, rotation=rotation))), mean).rotation
    return float(np.rad2deg(cv2.Rodrigues(after @ before.T)[0][axis, 0]))


def extremes() -> Iterator[Motion]:
    """Turns, shifts and scales at and beyond what heads in front of a camera do."""
    for yaw in (-30, 0, 30):
        for pitch in (-20, 0, 20):
            for roll in (-25, 0, 25):
                yield Motion(0, rotation=np.deg2rad(np.array([pitch, yaw, roll], np.float32)))
    for shift in ((0.7, 0, 0), (-0.7, 0, 0), (0, 0.5, 0), (0, -0.5, 0), (0, 0, 3), (0, 0, -3)):
        yield Motion(0, translation=np.array(shift, np.float32))


def uncovered(avatar: BuiltinAvatar, motion: Motion) -> int:
    """Pixels that show nothing of the person where something must be: within the face's outline, and below what is
    drawn just above the picture's lower edge."""
    covered = avatar.coverage(motion)
    face = np.zeros(SIZE[::-1], np.uint8)
    cv2.fillPoly(face, [np.round(avatar.landmarks(motion)[FACE_OVAL, :2]).astype(np.int32)], 1)
    face = cv2.erode(face, np.ones((3, 3), np.uint8))  # the outline's own pixels belong to whom they fall
    above = covered[-1 - SIZE[1] // 64].astype(np.uint8)[None]
    above = cv2.erode(above, np.ones((1, 9), np.uint8))[0]  # the side of a body that slopes is no hole
    return int(((face > 0) & ~covered).sum() + ((above > 0) & ~covered[-1]).sum())


if __name__ == "__main__":
    sys.exit(main())
