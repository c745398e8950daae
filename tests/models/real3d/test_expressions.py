"""Our motions in the coefficients of a face model of BFM's layout."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from models.bfm import load_bfm
from models.face import load_face_model
from models.motion import INDEX, MOUTH, Motion, expression
from models.real3d.expressions import bfm_expression, own_mouth
from models.transfer import expression_transfer
from tests.models.synthetic_bfm import FLIP, UNIT, bfm_content


def test_the_mouth_moves_alike_and_blinks_stay_out(tmp_path: Path) -> None:
    ours = load_face_model()
    savemat(tmp_path / "bfm.mat", bfm_content(ours))
    bfm = load_bfm(tmp_path / "bfm.mat")
    transfer = expression_transfer(ours, bfm)
    spoken = Motion(0, expression(jawOpen=0.6, mouthPucker=0.3, eyeBlinkLeft=1.0, eyeBlinkRight=0.5))
    coefficients = bfm_expression(spoken, transfer)
    assert coefficients.shape == (64,)
    wanted = expression(jawOpen=0.6, mouthPucker=0.3)
    moved = np.tensordot(coefficients, bfm.expression[:, bfm.keypoints68], 1)
    expected = UNIT * np.tensordot(wanted, ours.expression[:, ours.keypoints68], 1) * FLIP
    np.testing.assert_allclose(moved, expected, atol=0.05 * np.abs(expected).max())
    assert np.abs(expected).max() > 0.1
    assert spoken["eyeBlinkLeft"] == pytest.approx(1.0)


def test_a_heard_mouth_comes_back_and_nothing_else(tmp_path: Path) -> None:
    ours = load_face_model()
    savemat(tmp_path / "bfm.mat", bfm_content(ours))
    bfm = load_bfm(tmp_path / "bfm.mat")
    spoken = expression(jawOpen=0.6, mouthPucker=0.3, browInnerUp=0.5, eyeBlinkLeft=0.8)
    heard = bfm_expression(Motion(0, spoken), expression_transfer(ours, bfm))
    mouth = own_mouth(heard, expression_transfer(bfm, ours))
    assert not mouth[~MOUTH].any()
    assert mouth.min() >= 0 and mouth.max() <= 1 and mouth[INDEX["mouthNeutral"]] == 1
    moved, expected = (
        np.tensordot(values, ours.expression[:, ours.keypoints68], 1)
        for values in (mouth, expression(jawOpen=0.6, mouthPucker=0.3))
    )
    np.testing.assert_allclose(moved, expected, atol=0.1 * np.abs(expected).max())


def test_a_mouth_beyond_our_shapes_stays_within_their_bounds() -> None:
    ours = load_face_model()
    same = expression_transfer(ours, ours)
    for far in (3.0, -3.0):
        mouth = own_mouth(expression(jawOpen=far), same)
        assert mouth.min() >= 0 and mouth.max() <= 1
        assert mouth[INDEX["jawOpen"]] == (1.0 if far > 0 else 0.0)
