"""Who passes as whom: every clip is cut into halves, a profile made of each, and every face compared with it.

    python scripts/measure_likeness.py FILE [FILE ...]      clips, one person each, and photos

A row is the profile of one person, a column whose face was compared: least and greatest distance over both halves and
all windows of `calibration.likeness.FRAMES` frames, in thousandths of the eye distance. A person's own distances are
those of one half's profile to the other half. Photos only serve as other people.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.learn import Learner
from calibration.likeness import FRAMES, SAME_PERSON, distance, proportions, typical
from calibration.neutral import neutral_weight
from calibration.photo import read_photo
from calibration.profile import Profile
from models.errors import InputError
from models.face import load_face_model
from models.landmarks import Landmarks, MediapipeTracker, find_faces
from models.pose import fit_pose
from runtime.sources.media import ClipFrames

PHOTOS = (".jpg", ".jpeg", ".png", ".webp")


@dataclass
class Faces:
    """One person's faces, in order."""

    landmarks: list[Landmarks]
    rows: np.ndarray
    weights: np.ndarray

    def __getitem__(self, part: slice) -> "Faces":
        return Faces(self.landmarks[part], self.rows[part], self.weights[part])

    def windows(self) -> list["Faces"]:
        count = len(self.landmarks)
        return [self[k : k + FRAMES] for k in range(0, max(1, count - FRAMES + 1), FRAMES // 2)]


def read(path: Path) -> Faces:
    if path.suffix.lower() in PHOTOS:
        seen = find_faces(read_photo(path))[:1]
    else:
        tracker = MediapipeTracker()
        seen = [face for frame in ClipFrames(path) if (face := tracker.track(frame.image)) is not None]
    model = load_face_model()
    rows, weights = [], []
    for landmarks in seen:
        pose = fit_pose(landmarks, model.mean)
        face = pose.to_canonical(landmarks.astype(np.float64))
        rows.append(proportions(face))
        weights.append(neutral_weight(face, pose))
    return Faces(seen, np.array(rows), np.array(weights))


def learn(faces: Faces) -> Profile:
    learner = Learner(load_face_model())
    while learner.count < FRAMES:  # the halves of very short clips are shown twice
        for landmarks in faces.landmarks:
            learner.add(landmarks, 1, 1)
    return learner.profile("", "")


def main() -> int:
    people = {Path(name).stem: read(Path(name)) for name in sys.argv[1:]}
    clips = [name for name, faces in people.items() if len(faces.landmarks) > 1]
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for name in clips:
        middle = len(people[name].landmarks) // 2
        halves = people[name][:middle], people[name][middle:]
        for learnt, rest in (halves, halves[::-1]):
            try:
                profile = learn(learnt)
            except InputError as error:
                print(f"{name}: {error}")
                continue
            for other, faces in people.items():
                for window in (rest if other == name else faces).windows():
                    live = typical(window.rows, window.weights)
                    found[name, other].append(1e3 * distance(live, profile.proportions, profile.variation))
    print(f"{'profile of':20s}" + "".join(f"{other[-11:]:>12s}" for other in people))
    for name in clips:
        cells = (f"{min(d):.1f}-{max(d):.1f}" if (d := found[name, other]) else "" for other in people)
        print(f"{name[-19:]:20s}" + "".join(f"{cell:>12s}" for cell in cells))
    same = [d for (name, other), values in found.items() if name == other for d in values]
    others = [d for (name, other), values in found.items() if name != other for d in values]
    print(
        f"the same person: up to {max(same):.2f} ({len(same)} comparisons); others: from {min(others):.2f} "
        f"({len(others)}), median {np.median(others):.1f}; threshold {1e3 * SAME_PERSON:.1f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
