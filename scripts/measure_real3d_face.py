"""How near Real3D-Portrait's face model comes to a tracked face: by the 68 key points, by the follower, by descent.

    python scripts/measure_real3d_face.py CLIP.mp4 CLIP.mp4 [CLIP.mp4 ...]

The Basel model is licensed to each user, so a model of its layout stands in: our mean and identities, and for the 64
expression shapes the principal components of how the faces of all other clips moved. The first frame of a clip is the
portrait, the whole clip drives. Landmarks of the face model are compared with the tracked ones by how far both have
come since the first frame, in thousandths of the distance of the eyes: "seen", in the picture, holds what the head's
pose is off, "face" has the head held still. "transfer" carries the coefficients over by the 68 key points and knows no
surface, "follower" is what the engine does, "descent" takes two Gauss-Newton steps in the picture from the frame
before. Closed eyes, which are drawn elsewhere, are carried over alike in all. "size" is the root mean square of the
coefficients, "restless" that of their second differences, "ms" the processor time per frame.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.face import load_face_model
from models.face_fit.follower import FaceFollower
from models.face_fit.landmark_model import EXPRESSION, LandmarkModel, to_parameters
from models.face_fit.objective import IGNORED, Coefficients, photo_objective, project, to_fit
from models.face_fit.photo import fit_photo
from models.face_fit.portrait_motion import PortraitMotion
from models.landmarks import MediapipeTracker
from models.morphable import MorphableModel
from models.motion import INDEX, Motion
from models.pose import similarity
from models.real3d.conditions import Conditioner
from models.real3d.face import Real3dFace
from models.real3d.window import window_of
from models.topology import INNER_LIPS, LEFT_UPPER_LID, OUTER_LIPS, RIGHT_UPPER_LID, SURFACE_COUNT
from models.transfer import expression_transfer
from runtime.drivers.face_video import FaceVideo
from runtime.sources.media import ClipFrames

OWN = load_face_model()
SHAPES = OWN.expression[:, :SURFACE_COUNT].astype(np.float64)
BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
FLIP, UNIT = np.array([1.0, -1.0, -1.0]), 0.92
PARTS = {
    "all": np.setdiff1d(np.arange(SURFACE_COUNT), IGNORED),
    "lips": np.concatenate([INNER_LIPS, OUTER_LIPS]),
    "lids": np.concatenate([RIGHT_UPPER_LID, LEFT_UPPER_LID]),
    "brows": np.array([70, 63, 105, 66, 107, 336, 296, 334, 293, 300]),
}
Way = Callable[[Motion], np.ndarray]


@dataclass
class Track:
    """What a clip shows."""

    motions: list[Motion]
    landmarks: list[np.ndarray]
    """As `fit_objective.to_fit` gives them."""

    def moved(self, motion: Motion) -> np.ndarray:
        """By how much each landmark, eye distances."""
        assert motion.surface is not None
        return motion.surface[:SURFACE_COUNT] + np.tensordot(motion.expression, SHAPES, 1)


class Noting:
    """A tracker that remembers what it found last."""

    def __init__(self) -> None:
        self._tracker, self.last = MediapipeTracker(), None

    def track(self, image: np.ndarray) -> np.ndarray | None:
        self.last = self._tracker.track(image)
        return self.last

    def close(self) -> None:
        self._tracker.close()


def track(path: Path) -> Track:
    tracker, found = Noting(), Track([], [])
    driver, window = FaceVideo(tracker, OWN), None
    for frame in ClipFrames(path):
        (motion,) = driver.push(frame)
        if tracker.last is None or motion.surface is None:
            continue
        window = window or window_of(tracker.last, frame.image.shape[1], frame.image.shape[0])
        found.motions.append(motion)
        found.landmarks.append(to_fit(window.landmarks(tracker.last), 512))
    driver.close()
    return found


def stand_in(others: list[Track]) -> Real3dFace:
    """A face model whose expressions are how the others move; coefficients are about N(0, 1)."""
    moved = [other.moved(motion).ravel() for other in others for motion in other.motions[::2]]
    _, size, modes = np.linalg.svd(np.array(moved), full_matrices=False)
    expression = np.zeros((64, len(OWN.mean), 3))
    expression[:, :SURFACE_COUNT] = (size[:64, None] / len(moved) ** 0.5 * modes[:64]).reshape(64, -1, 3)
    mean, identity, expression = (
        (UNIT * basis * FLIP).astype(np.float32) for basis in (OWN.mean, OWN.identity, expression)
    )
    model = MorphableModel(mean, identity, expression, OWN.triangles, OWN.keypoints68, OWN.ncc)
    return Real3dFace(model, np.arange(SURFACE_COUNT, dtype=np.int32), OWN.keypoints68 + np.int32(1), ())


def open_eyed(motion: Motion) -> np.ndarray:
    coefficients = motion.expression.copy()
    coefficients[BLINKS] = 0
    return coefficients


class Descent:
    """Gauss and Newton in the picture, where the head's turn hides some of the face."""

    def __init__(self, face: Real3dFace, conditioner: Conditioner, person: Coefficients) -> None:
        self._model, self._conditioner = LandmarkModel(face), conditioner
        self._pose = PortraitMotion(face, OWN, person).pose
        basis = face.model.identity[:, face.landmarks468]
        self._rest = face.model.mean[face.landmarks468] + np.tensordot(person.identity, basis, 1)
        self._scale = UNIT * FLIP
        objective = photo_objective()
        self._weights = np.tile(objective.weights, 2) / (2 * SURFACE_COUNT)
        self._price = objective.expression / 64
        self._last = np.zeros(64)

    def __call__(self, motion: Motion) -> np.ndarray:
        assert motion.surface is not None
        moved = motion.surface[:SURFACE_COUNT] + np.tensordot(open_eyed(motion), SHAPES, 1)
        at = to_parameters(self._conditioner.shown(motion))
        rotation, translation = self._pose(motion)
        wanted = project((self._rest + moved * self._scale) @ rotation + translation)
        for _ in range(2):
            at[EXPRESSION] = self._last
            seen, moves = self._model.linearised(at, EXPRESSION.stop)
            slopes = moves[EXPRESSION].reshape(64, -1)
            curvature = (slopes * self._weights) @ slopes.T + self._price * np.eye(64)
            gradient = (slopes * self._weights) @ (wanted - seen).T.ravel() - self._price * self._last
            self._last = self._last + np.linalg.solve(curvature, gradient)
        return self._last.astype(np.float32)


def measure(clip: Track, face: Real3dFace) -> dict[str, dict[str, float]]:
    model, transfer = LandmarkModel(face), expression_transfer(OWN, face.model)
    person = fit_photo(clip.landmarks[0], model)
    conditioner = Conditioner(face, OWN, person)
    aligned = similarity(OWN.mean[OWN.keypoints68], face.model.mean[face.model.keypoints68])
    follow = FaceFollower(face, OWN, aligned)
    ways: dict[str, Way] = {
        "transfer": lambda motion: transfer(open_eyed(motion)),
        "follower": lambda motion: follow(replace(motion, expression=open_eyed(motion))),
        "descent": Descent(face, conditioner, person),
    }
    return {name: judge(clip, face, conditioner, way) for name, way in ways.items()}


def judge(clip: Track, face: Real3dFace, conditioner: Conditioner, way: Way) -> dict[str, float]:
    model, transfer = LandmarkModel(face), expression_transfer(OWN, face.model)
    basis = face.model.expression[:, :SURFACE_COUNT].astype(np.float64)
    begun = time.process_time()
    coefficients = np.array([way(motion) for motion in clip.motions])
    figures = {"ms": 1e3 * (time.process_time() - begun) / len(coefficients)}
    seen, off = [], []
    for motion, expression in zip(clip.motions, coefficients, strict=True):
        whole = expression + transfer(motion.expression - open_eyed(motion))
        seen.append(model.landmarks(replace(conditioner.shown(motion), expression=whole)))
        off.append(np.tensordot(whole, basis, 1) / UNIT * FLIP - clip.moved(motion))
    truth = np.array(clip.landmarks)
    eyes = np.linalg.norm(truth[:, [33, 133]].mean(1) - truth[:, [263, 362]].mean(1), axis=1)[:, None]
    shift = np.linalg.norm((np.array(seen) - seen[0]) - (truth - truth[0]), axis=2) / eyes
    apart = np.linalg.norm(OWN.mean[[33, 133], :2].mean(0) - OWN.mean[[263, 362], :2].mean(0))
    still = np.linalg.norm(np.array(off)[..., :2], axis=2) / apart
    for name, points in PARTS.items():
        figures |= {f"seen {name}": 1e3 * float(shift[:, points].mean())}
    for name, points in PARTS.items():
        figures |= {f"face {name}": 1e3 * float(still[:, points].mean())}
    figures["size"] = float(np.sqrt((coefficients**2).mean()))
    figures["restless"] = float(np.sqrt((np.diff(coefficients, 2, axis=0) ** 2).mean()))
    return figures


def main() -> int:
    clips = {Path(name).stem: track(Path(name)) for name in sys.argv[1:]}
    if len(clips) < 2:
        print(__doc__)
        return 2
    rows: dict[str, list[dict[str, float]]] = {}
    for name, clip in clips.items():
        others = [other for other in clips.values() if other is not clip]
        for way, figures in measure(clip, stand_in(others)).items():
            rows.setdefault(way, []).append(figures)
            show(name, way, figures)
    for way, found in rows.items():
        show("mean", way, {name: float(np.mean([figures[name] for figures in found])) for name in found[0]})
    return 0


def show(clip: str, way: str, figures: dict[str, float]) -> None:
    print(f"{clip:18s} {way:9s} " + "  ".join(f"{name} {value:.2f}" for name, value in figures.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
