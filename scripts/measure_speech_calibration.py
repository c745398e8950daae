"""What `agent calibrate --speech` gains on recordings of people: a layer fitted to the first two thirds of the speech,
judged on the last.

    python scripts/measure_speech_calibration.py CLIP...

Prints, for each clip with a face and sound, the errors of gap, width and jaw (1 less the concordance of what is heard
and seen) and their correlations, as the network has them and by the person's layer, at 80 ms of look-ahead. Clips that
the command refuses are measured all the same.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from calibration import speaker_fit
from calibration.mouth_heard import MouthHeard
from calibration.mouth_seen import MouthSeen
from calibration.neutral import NeutralEstimate, neutral_weight
from calibration.speaker_fit import Together
from models.audio.speaker_layer import HEADS, INPUTS, MEASURES, SpeakerLayer, measures
from models.audio.speech_mouth import network_digest
from models.errors import InputError
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from models.pose import fit_pose
from runtime.resample import SpeechWindows
from runtime.sources.media import ClipFrames, ClipSound

_HEAD = 2  # 80 ms


@dataclass(frozen=True, slots=True)
class Recording:
    name: str
    heard: MouthHeard
    times_s: np.ndarray
    seen: np.ndarray

    def together(self) -> Together:
        """At the offset that is found, else at none."""
        try:
            offset_s = speaker_fit.find_offset(self.heard, self.times_s, self.seen)
        except InputError:
            offset_s = 0.0
        return speaker_fit.together(self.heard, self.times_s - offset_s, self.seen, _HEAD)


def record(path: Path) -> Recording:
    model = load_face_model()
    heard, seen, neutral, windows = MouthHeard(), MouthSeen(model), NeutralEstimate(), SpeechWindows()
    for sound in ClipSound(path):
        for window in windows.push(sound):
            heard.add(window.samples, window.pts_ns)
    for window in windows.flush():
        heard.add(window.samples, window.pts_ns)
    tracker = MediapipeTracker()
    for frame in ClipFrames(path):
        landmarks = tracker.track(frame.image)
        if landmarks is not None:
            seen.add(landmarks, frame.pts_ns)
            pose = fit_pose(landmarks, model.mean)
            face = pose.to_canonical(landmarks.astype(np.float64))
            neutral.add(face, neutral_weight(face, pose))
    tracker.close()
    return Recording(path.stem, heard, seen.times_s, seen.measures(neutral.face()))


def layer_of(part: Together, ridge: float) -> SpeakerLayer:
    weights = np.zeros((HEADS, len(MEASURES), INPUTS), np.float32)
    weights[_HEAD] = speaker_fit.refit(part, ridge)
    return SpeakerLayer("", weights)


def row(name: str, layer: SpeakerLayer, part: Together) -> str:
    errors = speaker_fit.error(layer, _HEAD, part)
    said = measures(layer.curves(_HEAD, part.answers, part.hidden).astype(np.float64))
    agree = [
        speaker_fit.correlation(said[:, i], part.seen[:, i], part.weight.astype(np.float64))
        for i in range(len(MEASURES))
    ]
    return f"| {name} | {errors.mean():.2f} | " + " | ".join(
        f"{e:.2f} ({r:.2f})" for e, r in zip(errors, agree, strict=True)
    ) + " |"  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    nothing = SpeakerLayer("", np.zeros((HEADS, len(MEASURES), INPUTS), np.float32))
    print("| clip | speech s | layer | error | gap | width | jaw |")
    for path in options.clips:
        recording = record(path)
        part = recording.together()
        fitted, held_out = speaker_fit.split(part.weight, recording.times_s)
        ridge = speaker_fit.best_ridge(part[fitted])
        name = f"{recording.name} | {speaker_fit.count_speech_s(recording.heard, recording.times_s):.1f}"
        print(row(f"{name} | shipped", nothing, part[held_out]))
        print(row(f"{name} | own, ridge {ridge:g}", layer_of(part[fitted], ridge), part[held_out]))
        try:
            speaker_fit.fit_speaker(recording.heard, recording.times_s, recording.seen, network_digest())
        except InputError as error:
            print(f"{recording.name} is refused: {error}")


if __name__ == "__main__":
    main()
