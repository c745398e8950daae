"""Our motions in the coefficients of a face model of BFM's layout."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from models.bfm import load_bfm
from models.face import load_face_model
from models.motion import Motion, expression
from models.real3d.expressions import bfm_expression
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
