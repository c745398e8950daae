"""The identity shapes of the committed face model, its key points and its coordinate codes."""

import numpy as np
import pytest

from models.face import IDENTITY_COUNT, FaceModel, load_face_model
from models.landmarks import DEPTH
from models.motion import expression
from models.pose import fit_pose
from models.topology import (
    CHIN,
    FOREHEAD_TOP,
    LEFT_IRIS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP,
    RIGHT_IRIS,
    SURFACE_COUNT,
    UPPER_LIP,
)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model()


def one_hot(index: int, value: float) -> np.ndarray:
    out = np.zeros(IDENTITY_COUNT, np.float32)
    out[index] = value
    return out


def facing(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, k], :2].astype(np.float64) for k in range(3))
    return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] > 0


def test_shape_adds_both_bases_to_the_mean(model: FaceModel) -> None:
    assert model.shape() is model.mean
    identity, moved = one_hot(3, -1.5), expression(jawOpen=0.5)
    expected = model.mean - 1.5 * model.identity[3] + np.tensordot(moved, model.expression, 1)
    np.testing.assert_allclose(model.shape(identity, moved), expected, atol=1e-6)
    np.testing.assert_allclose(model.shape(expression=moved), expected + 1.5 * model.identity[3], atol=1e-6)


def test_identities_are_symmetric(model: FaceModel) -> None:
    mirrored = model.identity[:, model.mirror] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(mirrored, model.identity, atol=1e-6)


def test_identities_are_orthogonal_and_the_largest_come_first(model: FaceModel) -> None:
    as_made = model.identity / np.array([1, 1, DEPTH])  # before their depth was put right
    skin = as_made[:, :SURFACE_COUNT].reshape(IDENTITY_COUNT, -1).astype(np.float64)
    size = np.linalg.norm(skin, axis=1)
    assert (np.diff(size) < 1e-3 * size[0]).all()
    assert size[0] > 20 * size[-1] > 0
    cosine = skin @ skin.T / np.outer(size, size)
    np.testing.assert_allclose(cosine, np.eye(IDENTITY_COUNT), atol=0.01)  # stored in half precision


def test_identities_vary_as_faces_do(model: FaceModel) -> None:
    spread = np.sqrt((model.identity[:, :SURFACE_COUNT] ** 2).sum(0))  # one standard deviation per point and axis
    assert 0.02 < np.sqrt((spread**2).sum(1).mean()) < 0.08  # about 2 to 7 mm
    height = np.sqrt(((model.identity[:, CHIN, 1] - model.identity[:, FOREHEAD_TOP, 1]) ** 2).sum())
    assert 0.05 < height < 0.2


def test_identities_do_not_move_the_head(model: FaceModel) -> None:
    for shape in model.identity:
        pose = fit_pose(model.mean + shape, model.mean)
        assert pose.scale == pytest.approx(1, abs=3e-3)
        np.testing.assert_allclose(pose.rotation, np.eye(3), atol=5e-3)
        np.testing.assert_allclose(pose.translation, 0, atol=3e-3)


def test_identities_part_no_lips(model: FaceModel) -> None:
    np.testing.assert_array_equal(model.identity[:, UPPER_LIP], model.identity[:, LOWER_LIP])


def test_identities_fold_nothing(model: FaceModel) -> None:
    rest = facing(model.mean, model.triangles)
    for index in range(IDENTITY_COUNT):
        for value in (-2.0, 2.0):
            folded = rest & ~facing(model.shape(one_hot(index, value)), model.triangles)
            assert folded.sum() <= 6, index  # the outermost triangles, seen edge-on, may turn away from the camera
            assert np.abs(model.mean[model.triangles[folded], 0]).min(initial=1.0) > 0.18, index


def test_eyes_stay_open_and_irises_go_with_them(model: FaceModel) -> None:
    for iris, corners in ((LEFT_IRIS, LEFT_UPPER_LID[[0, -1]]), (RIGHT_IRIS, model.mirror[LEFT_UPPER_LID[[0, -1]]])):
        moved = np.repeat(model.identity[:, corners].mean(1)[:, None], len(iris), axis=1)
        np.testing.assert_allclose(model.identity[:, iris], moved, atol=1e-4)
    for index in range(IDENTITY_COUNT):
        points = model.shape(one_hot(index, -2.0)), model.shape(one_hot(index, 2.0))
        assert min((p[LEFT_LOWER_LID] - p[LEFT_UPPER_LID])[1:-1, 1].min() for p in points) > 0.005, index


def test_key_points_are_where_the_scheme_puts_them(model: FaceModel) -> None:
    points = model.mean[model.keypoints68]
    assert len(set(model.keypoints68.tolist())) == 68
    assert model.keypoints68[8] == CHIN
    mirrored = [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1)]
    mirrored += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    mirrored += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    np.testing.assert_array_equal(model.mirror[model.keypoints68], model.keypoints68[mirrored])
    assert (np.diff(points[:17, 0]) > 0).all()  # the jaw runs from the picture's left to its right
    assert (np.diff(points[17:27, 0]) > 0).all()
    assert (np.diff(points[27:31, 1]) > 0).all()
    assert points[[37, 38], 1].max() < points[[40, 41], 1].min()
    steps = np.linalg.norm(np.diff(points[:17], axis=0), axis=1)
    assert steps.max() < 2.2 * steps.min()


def test_codes_span_the_unit_cube_to_the_right_up_and_near(model: FaceModel) -> None:
    np.testing.assert_array_equal(model.ncc.min(0), 0)
    np.testing.assert_array_equal(model.ncc.max(0), 1)
    assert model.ncc[454, 0] > 0.9 > 0.1 > model.ncc[234, 0]
    assert model.ncc[FOREHEAD_TOP, 1] == 1 > model.ncc[CHIN, 1] == 0
    assert model.ncc[:, 2].argmax() == 4  # the tip of the nose
