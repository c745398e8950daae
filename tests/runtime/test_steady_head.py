"""The head's pose where landmarks and pixels agree, and where they do not."""

import cv2
import numpy as np
import pytest

from calibration.fit import MotionFit, Zero
from models.face import load_face_model
from models.pose import NECK_PIVOT, Pose
from runtime.drivers.head_flow import HeadFlow
from runtime.drivers.steady_head import SteadyHead

FRAME_NS = 40_000_000
SIZE = (640, 480)


def face(x_px: float = 320.0, roll_deg: float = 0.0) -> np.ndarray:
    roll = np.deg2rad(roll_deg)
    rotation = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    pose = Pose(150.0, rotation, np.array([x_px, 300.0, 0.0]))
    return pose.to_picture(load_face_model().mean - NECK_PIVOT).astype(np.float32)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Soft blobs, as hair and skin have."""
    noise = np.random.default_rng(0).normal(0, 1, (*SIZE[::-1], 3)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.clip(128 + 60 * blurred / blurred.std(), 0, 255).astype(np.uint8)


def shifted(picture: np.ndarray, x_px: float) -> np.ndarray:
    return cv2.warpAffine(picture, np.array([[1, 0, x_px], [0, 1, 0]], float), SIZE, borderMode=cv2.BORDER_REFLECT)


def follow(frames: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    steady = SteadyHead(MotionFit(Zero.of_frame(frames[0][1], load_face_model()), load_face_model()))
    return np.array([steady(image, points, k * FRAME_NS) for k, (image, points) in enumerate(frames)])


def test_a_grimace_that_tilts_the_landmarks_does_not_tilt_the_head(picture: np.ndarray) -> None:
    tilts = 1.5 * np.sin(np.linspace(0, 6, 75))
    heads = follow([(picture, face(roll_deg=tilt)) for tilt in tilts])
    assert np.abs(np.rad2deg(heads[:, 2])).max() < 0.1
    assert np.abs(heads[:, 3:5]).max() < 0.005


def test_a_head_that_moves_slowly_is_followed_by_its_pixels(picture: np.ndarray) -> None:
    heads = follow([(shifted(picture, 0.15 * k), face(320.0)) for k in range(50)])
    assert heads[-1, 3] == pytest.approx(0.15 * 49 / 150, abs=0.01)


@pytest.mark.parametrize("step_px", [1.5, 5.0, 15.0])
def test_a_head_that_moves_is_followed(picture: np.ndarray, step_px: float) -> None:
    there = [min(k * step_px, 120.0) for k in range(60)]
    heads = follow([(shifted(picture, x), face(320.0 + x)) for x in there])
    assert np.abs(heads[:, 3] - np.array(there) / 150).max() < 0.02


def test_landmarks_alone_move_the_head_where_there_is_nothing_to_see() -> None:
    flat = np.full((*SIZE[::-1], 3), 90, np.uint8)
    heads = follow([(flat, face(roll_deg=0.2 * k)) for k in range(20)])
    assert np.rad2deg(heads[-1, 2]) == pytest.approx(3.8, abs=0.2)


def test_a_still_background_does_not_hold_a_head_that_left(picture: np.ndarray) -> None:
    heads = follow([(picture, face(320.0 + 4.0 * k)) for k in range(40)])
    assert heads[-1, 3] == pytest.approx(156 / 150, abs=0.2)


def test_flow_needs_a_frame_before(picture: np.ndarray) -> None:
    flow = HeadFlow()
    assert flow(picture, face()) is None
    seen = flow(shifted(picture, 2.0), face())
    assert seen is not None
    assert seen.similarity[0, 2] == pytest.approx(2.0, abs=0.3)
    assert seen.speed > 0
    flow.reset()
    assert flow(picture, face()) is None


def test_flow_gives_up_where_the_picture_has_changed(picture: np.ndarray) -> None:
    flow = HeadFlow()
    flow(picture, face())
    other = np.random.default_rng(1).integers(0, 255, picture.shape).astype(np.uint8)
    assert flow(other, face()) is None
    assert flow(other, face()) is not None  # and goes on from there


def turned(yaw_deg: float) -> np.ndarray:
    yaw = np.deg2rad(yaw_deg)
    rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    pose = Pose(150.0, rotation, np.array([320.0, 300.0, 0.0]))
    return pose.to_picture(load_face_model().mean - NECK_PIVOT).astype(np.float32)


def test_a_turn_too_slow_for_pixels_is_not_forgotten(picture: np.ndarray) -> None:
    heads = follow([(picture, turned(min(0.1 * k, 6.0))) for k in range(200)])
    assert np.rad2deg(heads[-1, 1]) == pytest.approx(6.0, abs=0.3)


def test_frames_may_change_their_size(picture: np.ndarray) -> None:
    flow = HeadFlow()
    flow(cv2.resize(picture, (1280, 720)), (face() + [400, 100, 0]).astype(np.float32))
    assert flow(picture, face()) is None
    assert flow(picture, face()) is not None
