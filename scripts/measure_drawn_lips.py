"""Draws portraits that speak with real people's sound, finds their lips again, and compares them with the people's.

    python scripts/measure_drawn_lips.py FOLDER_WITH_VIDEOS_OF_PEOPLE_TALKING

The portrait is a video's first picture. What is printed is the correlation with the person's own lips over all
pictures in speech, as in `scripts/evaluate_a2m.py`: of the network's curves, of the lips that the coefficients make,
and of the lips that a tracker finds in what was drawn. Needs the `train` extra.
"""

import argparse
from pathlib import Path

import numpy as np
from a2m import talk
from a2m.listen import Heard, Listener
from a2m.talk import Clip

from calibration.portrait import prepare_portrait
from models.audio.curves import MouthFrame
from models.audio.lip_control import LipControl
from models.audio.speech_mouth import WEIGHTS
from models.builtin.avatar import BuiltinAvatar
from models.face import FaceModel, load_face_model
from models.landmarks import MediapipeTracker
from models.motion import Motion
from runtime.sources.media import ClipFrames

_SIDE = 512
_MEASURES = ("lipGap", "width", "jawOpen")
_DEMAND = 0.05
Said = list[tuple[np.ndarray, np.ndarray]]


def expressions(heard: Heard, lips: LipControl) -> np.ndarray:
    """[n, 64] coefficients, one per hop."""
    closed, speech = (1 / (1 + np.exp(-logits)) for logits in (heard.closed, heard.speech))
    frames = (MouthFrame(*row) for row in zip(heard.curves, closed.tolist(), speech.tolist(), strict=True))
    return np.stack([lips.expression(frame) for frame in frames])


def drawn(path: Path, clip: Clip, times: np.ndarray, coefficients: np.ndarray, model: FaceModel) -> np.ndarray:
    """[pictures, 3]: lips and jaw that are found in the drawn portrait at the instants of the clip's pictures."""
    photo = next(iter(ClipFrames(path))).image
    avatar = BuiltinAvatar(prepare_portrait(photo, (_SIDE, _SIDE), framing="head"), model)
    at = np.stack([np.interp(clip.times - talk.LAG_S, times, column) for column in coefficients.T], 1)
    tracker, rows = MediapipeTracker(), []
    for expression in at.astype(np.float32):
        points = tracker.track(avatar.render(Motion(0, expression)))
        if points is None:
            raise SystemExit(f"no face is found in what was drawn for {path}")
        rows.append(talk.measured(points))
    tracker.close()
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    listener, model = Listener(options.weights), load_face_model()
    lips = LipControl(model)
    paths, clips = talk.videos(options.folder), talk.load(options.folder)
    heard = [listener.hear(clip.sound, warm=True) for clip in clips]
    expressed = [expressions(h, lips) for h in heard]
    found = [drawn(p, c, h.times, e, model) for p, c, h, e in zip(paths, clips, heard, expressed, strict=True)]
    pairs = list(zip(clips, heard, expressed, found, strict=True))
    print(f"{'':10s} {'curves':>8s} {'made':>8s} {'drawn':>8s}   asked: drawn at most {_DEMAND} below the curves")
    for i, name in enumerate(_MEASURES):
        curves: Said = [(h.times, h[name]) for h in heard]
        seen: Said = [(c.times - talk.LAG_S, f[:, i]) for c, _, _, f in pairs]
        gaps: Said = [(h.times, np.array([lips.gap(row) for row in e])) for _, h, e, _ in pairs]
        made = f"{talk.agreement(clips, name, gaps):8.3f}" if name == "lipGap" else " " * 8
        print(f"{name:10s} {talk.agreement(clips, name, curves):8.3f} {made} {talk.agreement(clips, name, seen):8.3f}")


if __name__ == "__main__":
    main()
