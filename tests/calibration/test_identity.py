"""The identity of a face from its landmarks."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.identity import fit_identity
from calibration.portrait import prepare_portrait, read_photo
from models.face import FaceModel, load_face_model
from models.motion import expression
from models.pose import Pose, fit_pose
from models.topology import CHIN, SURFACE_COUNT


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model()


def somebody(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(80).astype(np.float32)


def seen(points: np.ndarray, yaw: float = 0.0) -> np.ndarray:
    """Landmarks of a face somewhere in a picture, its head turned."""
    rotation = cv2.Rodrigues(np.array([0.1, yaw, 0.05]))[0]
    return Pose(170.0, rotation, np.array([300.0, 220.0, 0.0])).to_picture(points).astype(np.float32)


def distance(landmarks: np.ndarray, face: np.ndarray) -> float:
    """Mean distance of the skin's landmarks in the picture from a face in its best pose, canonical units."""
    rest = (fit_pose(landmarks, face).to_canonical(landmarks) - face)[:SURFACE_COUNT, :2]
    return float(np.linalg.norm(rest, axis=1).mean())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("yaw", [0.0, 0.4])
def test_a_known_person_is_found_again(model: FaceModel, seed: int, yaw: float) -> None:
    identity = somebody(seed)
    landmarks = seen(model.shape(identity), yaw)
    fit = fit_identity(landmarks, model)
    assert distance(landmarks, model.mean) > 0.015
    assert distance(landmarks, model.shape(fit.identity)) < 0.004
    assert np.corrcoef(fit.identity[:20], identity[:20])[0, 1] > 0.95
    assert fit.pose.scale == pytest.approx(170.0, rel=0.02)


def test_the_mean_face_is_nobody(model: FaceModel) -> None:
    np.testing.assert_allclose(fit_identity(seen(model.mean), model).identity, 0, atol=0.02)


def test_an_open_mouth_is_not_identity(model: FaceModel) -> None:
    identity = somebody(5)
    shut, opened = (fit_identity(seen(model.shape(identity, expression(jawOpen=v))), model) for v in (0.0, 0.5))
    change = np.linalg.norm(model.shape(opened.identity) - model.shape(shut.identity), axis=1)
    assert change.mean() < 0.01
    assert change[CHIN] < 0.05  # the chin itself came down by 0.11


def test_a_photo_is_nearer_to_its_identity_than_to_the_mean_face(model: FaceModel, portrait_png: Path) -> None:
    landmarks = prepare_portrait(read_photo(portrait_png), (512, 512)).landmarks
    fit = fit_identity(landmarks, model)
    assert distance(landmarks, model.shape(fit.identity)) < 0.8 * distance(landmarks, model.mean)
    assert np.sqrt((fit.identity**2).mean()) < 1.5
