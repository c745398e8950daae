"""Mouths of another face model: the same movement in our coefficients, and only theirs."""

from dataclasses import replace

import numpy as np
import pytest

from calibration.mouth_fit import MouthFit
from models.face import FaceModel, load_face_model
from models.motion import INDEX, MOUTH, expression
from models.transfer import ExpressionTransfer, expression_transfer

OURS = load_face_model()
LIPS = OURS.keypoints68[48:]
TALKING = (
    expression(jawOpen=0.6, mouthPucker=0.3),
    expression(mouthSmileLeft=0.4, mouthSmileRight=0.5, mouthLowerDownLeft=0.2),
    expression(jawOpen=0.3, mouthClose=0.25, mouthPressLeft=0.3),
)


def lips(model: FaceModel, coefficients: np.ndarray) -> np.ndarray:
    """Displacements of the lips' key points."""
    return np.tensordot(coefficients, model.expression[:, LIPS], 1)


@pytest.fixture(scope="module")
def same() -> ExpressionTransfer:
    return expression_transfer(OURS, OURS)


@pytest.mark.parametrize("talking", TALKING)
def test_what_ours_can_make_is_made(talking: np.ndarray, same: ExpressionTransfer) -> None:
    moved, expected = lips(OURS, MouthFit(same, OURS)(talking)), lips(OURS, talking)
    assert np.abs(expected).max() > 0.02
    np.testing.assert_allclose(moved, expected, atol=0.03 * np.abs(expected).max())


def test_brows_and_eyes_are_left_out_and_do_not_move_the_mouth(same: ExpressionTransfer) -> None:
    fit = MouthFit(same, OURS)
    rest = fit(expression())
    assert rest[INDEX["mouthNeutral"]] == 1 and rest.sum() == 1
    others = fit(expression(browInnerUp=1.0, eyeBlinkLeft=1.0, noseSneerLeft=1.0, noseSneerRight=1.0))
    assert np.abs(lips(OURS, others)).max() < 0.001
    assert not others[~MOUTH].any()


def test_a_mouth_beyond_our_shapes_stays_within_their_bounds(same: ExpressionTransfer) -> None:
    for far in (3.0, -3.0):
        mouth = MouthFit(same, OURS)(expression(jawOpen=far))
        assert mouth.min() >= 0 and mouth.max() <= 1
        assert mouth[INDEX["jawOpen"]] == (1.0 if far > 0 else 0.0)


def test_another_models_mouth_is_fitted_within_the_bounds_not_cut_off_at_them() -> None:
    """Its shapes are ours, bent by a smooth field."""
    random = np.random.default_rng(1)
    waves = np.cos(OURS.mean @ random.normal(0, 3, (3, 6)) + random.uniform(0, 6, 6))
    bent = (OURS.expression * (1 + 0.2 * waves @ random.normal(size=(6, 3)))).astype(np.float32)
    other = replace(OURS, expression=bent)
    transfer = expression_transfer(other, OURS)
    fit = MouthFit(transfer, OURS)
    fitted, cut = (
        np.mean([np.linalg.norm(lips(OURS, f(talking)) - lips(other, talking)) for talking in TALKING])
        for f in (fit, lambda talking: np.where(MOUTH, np.clip(transfer(talking), 0, 1), 0))
    )
    size = np.mean([np.linalg.norm(lips(other, talking)) for talking in TALKING])
    assert fitted < 0.2 * size
    assert fitted < 0.5 * cut
