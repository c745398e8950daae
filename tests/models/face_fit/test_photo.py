"""The face model is laid over landmarks: as low as the reference's optimiser."""

import numpy as np
import pytest

from models.face_fit.landmark_model import COUNT, LandmarkModel, to_parameters
from models.face_fit.objective import IGNORED, Coefficients, photo_objective, to_fit
from models.face_fit.photo import fit_photo
from models.real3d.face import Real3dFace
from tests.models.real3d import synthetic

Golden = dict[str, np.ndarray]


def frame(k: int) -> Coefficients:
    poses = synthetic.tracks()
    return Coefficients(poses["id"][k], poses["exp"][k], poses["euler"][k], poses["trans"][k])


def true_fit() -> Coefficients:
    poses = synthetic.tracks()
    return Coefficients(*(poses[f"fit_{name}"][0] for name in ("id", "exp", "euler", "trans")))


@pytest.fixture(scope="module")
def model(reference_face: Real3dFace) -> LandmarkModel:
    return LandmarkModel(reference_face)


def test_landmarks_are_the_references(model: LandmarkModel, golden: Golden) -> None:
    seen = np.array([model.landmarks(frame(k))[::6] for k in range(0, 20, 5)])
    np.testing.assert_allclose(seen, golden["bfm.lm468_224/sub"], atol=1e-3)


def test_landmarks_of_a_picture_are_turned_to_the_fits_axes(model: LandmarkModel, golden: Golden) -> None:
    picture = np.zeros((478, 3), np.float32)
    picture[:468:8, :2] = golden["fit/input_lm512_sub"]
    np.testing.assert_allclose(to_fit(picture, 512)[::8], model.landmarks(true_fit())[::8], atol=1e-3)


def test_the_slopes_are_those_of_the_landmarks(model: LandmarkModel) -> None:
    at = to_parameters(true_fit())
    _, moves = model.linearised(at, COUNT)
    for k in (0, 1, 2, 3, 4, 5, 6, 69, 70, 149):
        step = 1e-5 * np.eye(COUNT)[k]
        expected = (model.seen(at + step) - model.seen(at - step)) / 2e-5
        np.testing.assert_allclose(moves[k].T, expected, atol=1e-4)


def test_a_photo_is_fitted_as_well_as_by_the_reference(model: LandmarkModel, golden: Golden) -> None:
    landmarks = model.landmarks(true_fit())
    reference = Coefficients(*(golden[f"fit/{name}"][0] for name in ("id", "exp", "euler", "trans")))
    ours = fit_photo(landmarks, model)
    objective = photo_objective()
    values = [objective(model.landmarks(fit) - landmarks, fit) for fit in (ours, reference)]
    assert values[0] <= values[1]
    for name in Coefficients.__slots__:
        np.testing.assert_allclose(getattr(ours, name), getattr(reference, name), atol=1e-4)


def test_ignored_landmarks_do_not_count(model: LandmarkModel) -> None:
    landmarks = model.landmarks(true_fit())
    expected = fit_photo(landmarks, model)
    landmarks[IGNORED] += 50
    np.testing.assert_array_equal(fit_photo(landmarks, model).identity, expected.identity)
