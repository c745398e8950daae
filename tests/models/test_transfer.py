"""Expressions carried from one face model to another."""

import numpy as np
import pytest
from golden.face_file import UNIT, bfm_content
from scipy.io import savemat

from models.bfm import load_bfm
from models.face import FaceModel, load_face_model
from models.morphable import MorphableModel
from models.motion import INDEX, expression
from models.transfer import expression_transfer


@pytest.fixture(scope="module")
def ours() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="module")
def bfm(ours: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> MorphableModel:
    path = tmp_path_factory.mktemp("bfm") / "BFM_model_front.mat"
    savemat(path, bfm_content(ours))
    return load_bfm(path)


def moved(model: MorphableModel, coefficients: np.ndarray) -> np.ndarray:
    """Displacements of the 68 key points."""
    return np.tensordot(coefficients, model.expression[:, model.keypoints68], 1)


def test_each_expression_moves_the_same_key_points_alike(ours: FaceModel, bfm: MorphableModel) -> None:
    transfer = expression_transfer(ours, bfm)
    assert transfer.matrix.shape == (64, 64)
    assert transfer.residual.max() < 0.05
    for name, index in INDEX.items():
        one = np.eye(64, dtype=np.float32)[index]
        expected = UNIT * moved(ours, one) * [1, -1, -1]
        error = np.linalg.norm(moved(bfm, transfer(one)) - expected)
        size = np.linalg.norm(expected)
        assert error == pytest.approx(transfer.residual[index] * size, abs=1e-4), name


def test_jaw_and_lids_move_the_way_they_are_called(ours: FaceModel, bfm: MorphableModel) -> None:
    transfer = expression_transfer(ours, bfm)
    jaw = moved(bfm, transfer(expression(jawOpen=1.0)))
    assert jaw[[57, 66], 1].max() < -0.1  # y is up in the file's axes, decimetres
    assert jaw[8, 1] < -0.1
    assert np.abs(jaw[[51, 27, 36, 45]]).max() < 0.02
    rest = bfm.mean[bfm.keypoints68]
    shut = rest + moved(bfm, transfer(expression(eyeBlinkLeft=1.0)))
    left, right = ([43, 44], [47, 46]), ([37, 38], [41, 40])  # sides are the subject's
    for (upper, lower), share in ((left, 0.1), (right, 0.95)):
        gap = (shut[upper] - shut[lower])[:, 1]
        before = (rest[upper] - rest[lower])[:, 1]
        assert (np.abs(gap) < 0.1 * before).all() if share < 0.5 else (gap > share * before).all()


def test_there_and_back_is_the_same_movement(ours: FaceModel, bfm: MorphableModel) -> None:
    there, back = expression_transfer(ours, bfm), expression_transfer(bfm, ours)
    smile = expression(mouthSmileLeft=0.8, mouthSmileRight=0.7, browInnerUp=0.5, jawOpen=0.3)
    np.testing.assert_allclose(moved(ours, back(there(smile))), moved(ours, smile), atol=2e-3)


def test_what_moves_no_key_point_is_not_carried_over(ours: FaceModel, bfm: MorphableModel) -> None:
    transfer = expression_transfer(ours, bfm)
    for name in ("tongueOut", "mouthNeutral", "eyeLookInLeft"):
        assert transfer.residual[INDEX[name]] == 0
        np.testing.assert_array_equal(transfer(expression(**{name: 1.0})), 0)


def test_the_residual_tells_what_the_target_cannot_make(ours: FaceModel) -> None:
    jaw_only = MorphableModel(
        ours.mean, ours.identity, ours.expression[[INDEX["jawOpen"]]], ours.triangles, ours.keypoints68, ours.ncc
    )
    transfer = expression_transfer(ours, jaw_only)
    assert transfer.matrix.shape == (1, 64)
    assert transfer.residual[INDEX["jawOpen"]] < 0.01
    assert transfer.residual[INDEX["browInnerUp"]] > 0.99
    assert 0.5 < transfer.residual[INDEX["mouthClose"]] < 1
