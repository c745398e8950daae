"""A video driver whose tracker sees what it is told."""

from collections.abc import Iterator

import numpy as np
import pytest

from calibration.person import PersonCheck
from calibration.profile import Profile
from models.face import load_face_model
from models.landmarks import FaceTracker, Landmarks
from models.motion import Motion, expression
from models.pose import NECK_PIVOT, Pose
from runtime.drivers.face_video import FaceVideo
from runtime.drivers.mouth_cutter import MouthCutter
from runtime.drivers.mouth_sight import MouthSight
from runtime.frame import Frame
from tests.warned import warned

FRAME_NS = 40_000_000
IMAGE = np.zeros((480, 640, 3), np.uint8)
CLOSED_EYES = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}


class Script:
    """A tracker that sees what it was told, frame by frame, and the last of it from then on."""

    def __init__(self, *seen: Landmarks | None) -> None:
        self.seen: Iterator[Landmarks | None] = iter(seen)
        self.last: Landmarks | None = None
        self.closed = 0

    def track(self, image: np.ndarray) -> Landmarks | None:
        assert image.shape == IMAGE.shape
        self.last = next(self.seen, self.last)
        return self.last

    def close(self) -> None:
        self.closed += 1


def face(x_px: float = 320.0, yaw_deg: float = 0.0, scale_px: float = 150.0, **coefficients: float) -> Landmarks:
    """Landmarks of the mean face with these coefficients, turned about its neck, in a 640x480 picture."""
    model = load_face_model()
    points = model.mean + np.tensordot(expression(**coefficients), model.expression, 1)
    yaw = np.deg2rad(yaw_deg)
    rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return Pose(scale_px, rotation, np.array([x_px, 300.0, 0.0])).to_picture(points - NECK_PIVOT).astype(np.float32)


def watch(driver: FaceVideo, frames: int, start_ns: int = 0, image: np.ndarray = IMAGE) -> list[Motion]:
    motions = [driver.push(Frame(image, start_ns + k * FRAME_NS)) for k in range(frames)]
    assert all(len(m) == 1 for m in motions)
    return [m[0] for m in motions]


def vector(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.expression, motion.rotation, motion.translation])


def seen(
    *faces: Landmarks | None,
    person: PersonCheck | None = None,
    absolute: bool = False,
    mouth: MouthCutter | None = None,
    sight: MouthSight | None = None,
) -> tuple[FaceVideo, Script]:
    script = Script(*faces)
    assert isinstance(script, FaceTracker)
    return FaceVideo(script, load_face_model(), person, absolute, mouth, sight), script


def check(profile: Profile) -> PersonCheck:
    return PersonCheck(profile, load_face_model())


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Of the video driver."""
    return warned(caplog, "runtime.drivers.face_video")
