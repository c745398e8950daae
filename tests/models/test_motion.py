"""Coefficients by name, and motions mixed in time."""

import numpy as np
import pytest

from models.motion import ARKIT, COEFFICIENTS, INDEX, MOUTH, Motion, MouthPatch, expression, lerp


def test_there_are_52_arkit_shapes_and_64_distinct_names():
    assert len(ARKIT) == 52
    assert len(COEFFICIENTS) == len(set(COEFFICIENTS)) == 64
    assert COEFFICIENTS[:52] == ARKIT
    assert INDEX["tongueOut"] == 51


def test_expression_by_name():
    e = expression(jawOpen=0.5)
    assert e[INDEX["jawOpen"]] == 0.5 and e.sum() == 0.5
    with pytest.raises(KeyError):
        expression(jawOpened=1.0)


def test_mouth_mask_has_lips_and_jaw_but_no_eyes():
    assert MOUTH[INDEX["jawOpen"]] and MOUTH[INDEX["mouthNeutral"]]
    assert not MOUTH[INDEX["eyeBlinkLeft"]] and not MOUTH[INDEX["browInnerUp"]]


def test_lerp_mixes_everything():
    a = Motion(0, expression(jawOpen=0.0), confidence=0.0)
    b = Motion(100, expression(jawOpen=1.0), np.ones(3, np.float32), np.ones(3, np.float32), 1.0)
    m = lerp(a, b, 0.25)
    assert m.pts_ns == 25 and m["jawOpen"] == 0.25 and m.confidence == 0.25
    assert np.allclose(m.rotation, 0.25) and np.allclose(m.translation, 0.25)
    assert lerp(a, b, 7.0).pts_ns == 100
    assert lerp(Motion(0, mouth_confidence=0.2), b, 0.25).mouth_confidence == pytest.approx(0.4)


def test_lerp_takes_the_nearer_mouth_or_its_absence():
    mouth = MouthPatch(np.ones((48, 80, 3), np.uint8), np.zeros((20, 2), np.float32), np.zeros(3, np.float32))
    shown, hidden = Motion(0, mouth=mouth), Motion(100)
    assert lerp(shown, hidden, 0.4).mouth is mouth and lerp(shown, hidden, 0.6).mouth is None
    assert lerp(hidden, shown, 0.4).mouth is None and lerp(hidden, shown, 0.6).mouth is mouth
    assert shown.at(7).mouth is mouth


def test_a_wrong_shape_is_caught_at_the_door():
    with pytest.raises(Exception, match="expression"):
        Motion(0, np.zeros(63, np.float32))
