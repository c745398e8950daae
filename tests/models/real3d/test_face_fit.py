"""The face model is laid over landmarks: as low as the reference's optimiser, and steadily through a video."""

from dataclasses import replace

import numpy as np
import pytest

from models.real3d.face import Real3dFace
from models.real3d.face_fit import FaceFollower, fit_photo
from models.real3d.fit_objective import IGNORED, Coefficients, photo_objective, to_fit, video_objective
from models.real3d.landmark_model import COUNT, LandmarkModel, to_parameters
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


def test_a_person_is_followed(model: LandmarkModel) -> None:
    rng, person = np.random.default_rng(0), true_fit()
    follower = FaceFollower(model, person)
    for k in range(20):
        turn = np.float32(0.3 * np.sin(k / 4)) * np.ones(3, np.float32)
        now = replace(person, euler=person.euler + turn, expression=person.expression * np.float32(np.cos(k / 5)))
        found = follower(model.landmarks(now) + rng.normal(0, 0.3, (468, 2)))
        np.testing.assert_allclose(found.euler, now.euler, atol=0.005)
        np.testing.assert_allclose(found.expression, now.expression, atol=0.08)
        np.testing.assert_array_equal(found.identity, person.identity)


def test_a_follower_is_calmer_than_single_fits(face: Real3dFace) -> None:
    model, rng = LandmarkModel(face), np.random.default_rng(0)
    person = Coefficients(*(np.zeros(n, np.float32) for n in (80, 64, 3, 3)))
    noisy = [model.landmarks(person) + rng.normal(0, 0.5, (468, 2)) for _ in range(10)]
    follower, fresh = FaceFollower(model, person), FaceFollower(model, person)
    followed, single = [], []
    for landmarks in noisy:
        followed.append(follower(landmarks))
        fresh.reset()
        single.append(fresh(landmarks))

    def tremble(fits: list[Coefficients]) -> tuple[float, float]:
        expressions, distances = np.array([f.expression for f in fits]), np.array([f.translation[2] for f in fits])
        return float(np.diff(expressions, axis=0).std()), float(np.diff(distances).std())

    calm, restless = tremble(followed), tremble(single)
    assert calm[0] < 0.8 * restless[0]
    assert calm[1] < 0.5 * restless[1]


def test_a_frame_of_a_video_is_fitted_to_its_own_objective(model: LandmarkModel) -> None:
    person, landmarks = true_fit(), model.landmarks(true_fit())
    found, objective = FaceFollower(model, person)(landmarks), video_objective()
    lowest = objective(model.landmarks(found) - landmarks, found)
    rng = np.random.default_rng(1)
    for _ in range(20):
        moved = replace(found, expression=found.expression + rng.normal(0, 0.02, 64).astype(np.float32))
        assert objective(model.landmarks(moved) - landmarks, moved) > lowest
