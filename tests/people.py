"""Made-up people: faces with proportions of their own, moved, turned and seen by a camera of 640 x 480 pixels."""

import cv2
import numpy as np

from calibration.learn import Learner
from calibration.profile import Profile
from models.face import load_face_model
from models.motion import expression
from models.pose import NECK_PIVOT, Pose

WIDTH, HEIGHT = 640, 480


class Person:
    """The mean face with smooth bumps of about 0.05 eye distances, the same on both sides."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        model = load_face_model()
        bumps = np.zeros((478, 3))
        for _ in range(40):
            centre = model.mean[self._random.integers(468)]
            near = np.exp(-(((model.mean - centre) / 0.25) ** 2).sum(1))
            bumps += near[:, None] * self._random.normal(0, 0.02, 3)
        mirrored = bumps[model.mirror] * [-1, 1, 1]
        self.face = model.mean + 0.5 * (bumps + mirrored)

    def seen(self, yaw_deg: float = 0.0, pitch_deg: float = 0.0, noise_px: float = 0.15, **coefficients: float):
        """Landmarks float32 [478, 3] in pixels, trembling a little."""
        points = self.face + np.tensordot(expression(**coefficients), load_face_model().expression, 1)
        rotation = cv2.Rodrigues(np.deg2rad([pitch_deg, yaw_deg, 0.0]))[0]
        pixels = Pose(110.0, rotation, np.array([320.0, 300.0, 0.0])).to_picture(points - NECK_PIVOT)
        return (pixels + self._random.normal(0, noise_px, pixels.shape)).astype(np.float32)

    def session(self, frames: int = 60, blink: float = 1.0) -> list[np.ndarray]:
        """At rest most of the time; a blink, a smile, an open mouth and a turn between."""
        out = []
        for k in range(frames):
            match k % 20:
                case 3:
                    out.append(self.seen(eyeBlinkLeft=blink, eyeBlinkRight=blink))
                case 7 | 8:
                    out.append(self.seen(mouthSmileLeft=1.0, mouthSmileRight=1.0))
                case 11 | 12:
                    out.append(self.seen(jawOpen=0.6))
                case 15:
                    out.append(self.seen(yaw_deg=12))
                case 16:
                    out.append(self.seen(yaw_deg=-12))
                case _:
                    out.append(self.seen())
        return out

    def profile(self, frames: int = 200, blink: float = 1.0) -> Profile:
        learner = Learner(load_face_model())
        for landmarks in self.session(frames, blink):
            learner.add(landmarks, WIDTH, HEIGHT)
        return learner.profile("me", "2026-01-01T12:00:00+00:00")
