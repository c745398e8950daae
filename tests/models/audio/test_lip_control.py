"""Curves -> coefficients: the inner lips of the face model end up as far apart as was asked."""

import numpy as np
import pytest

from models.audio.curves import CURVES, INDEX, MouthFrame
from models.audio.lip_control import GAP, LipControl
from models.face import load_face_model
from models.motion import COEFFICIENTS, MOUTH
from models.motion import INDEX as COEFFICIENT
from models.topology import LOWER_LIP, UPPER_LIP

MODEL = load_face_model()
LIPS = LipControl(MODEL)


def frame(closed=0.0, **curves):
    values = np.zeros(len(CURVES), np.float32)
    for name, value in curves.items():
        values[INDEX[name]] = value
    return MouthFrame(values, closed, 1.0)


def gap_on_the_mesh(expression):
    face = MODEL.mean + np.tensordot(expression, MODEL.expression, 1)
    return float((face[LOWER_LIP[4:7], 1] - face[UPPER_LIP[4:7], 1]).mean())


@pytest.mark.parametrize(
    "curves",
    [
        {"jawOpen": 0.74, "lipGap": 0.8, "mouthLowerDown": 0.36, "mouthUpperUp": 0.2},
        {"jawOpen": 0.16, "lipGap": 0.26, "mouthStretch": 0.4, "mouthSmile": 0.3},
        {"jawOpen": 0.18, "lipGap": 0.16, "mouthPucker": 0.9, "mouthFunnel": 0.35},
        {"jawOpen": 0.3, "lipGap": 0.0},
        {"jawOpen": 0.05, "lipGap": 0.5},
    ],
    ids=["a", "i", "u", "closed over an open jaw", "lips open over a closed jaw"],
)
def test_the_lips_are_as_far_apart_as_asked(curves):
    expression = LIPS.expression(frame(**curves))
    assert gap_on_the_mesh(expression) == pytest.approx(GAP * curves["lipGap"], abs=2e-3)
    assert LIPS.gap(expression) == pytest.approx(gap_on_the_mesh(expression), abs=1e-3)


@pytest.mark.parametrize("jaw", [0.1, 0.5, 0.9])
def test_lips_that_are_surely_pressed_together_meet(jaw):
    expression = LIPS.expression(frame(closed=0.95, jawOpen=jaw, lipGap=0.6, mouthLowerDown=0.2))
    assert gap_on_the_mesh(expression) == pytest.approx(0.0, abs=2e-3)
    assert expression[COEFFICIENT["mouthPressLeft"]] > 0.3


def test_what_may_be_closed_does_not_jump():
    gaps = [gap_on_the_mesh(LIPS.expression(frame(closed=p, jawOpen=0.4, lipGap=0.5))) for p in np.linspace(0, 1, 51)]
    assert gaps[0] > 0.08 and gaps[-1] < 2e-3
    assert np.abs(np.diff(gaps)).max() < 0.1 * gaps[0]


def test_amplitude_scales_the_opening_and_nothing_moves_at_zero():
    said = frame(jawOpen=0.4, lipGap=0.5, mouthPucker=0.4, closed=0.1)
    half, whole = LIPS.expression(said, 0.5), LIPS.expression(said)
    assert gap_on_the_mesh(half) == pytest.approx(0.5 * gap_on_the_mesh(whole), abs=2e-3)
    still = LIPS.expression(frame(jawOpen=0.9, lipGap=0.9, closed=0.9), 0.0)
    assert np.flatnonzero(still).tolist() == [COEFFICIENT["mouthNeutral"]]


def test_only_the_mouth_moves_within_its_range_on_both_sides_alike():
    random = np.random.default_rng(0)
    for _ in range(200):
        said = MouthFrame(random.random(len(CURVES)).astype(np.float32), float(random.random()), 1.0)
        expression = LIPS.expression(said, float(random.uniform(0, 3)))
        assert expression.min() >= 0 and expression.max() <= 1
        assert not expression[~MOUTH].any()
        for name in COEFFICIENTS:
            if name.endswith("Left") and name != "mouthLeft" and name != "jawLeft":
                assert expression[COEFFICIENT[name]] == expression[COEFFICIENT[name[:-4] + "Right"]]
