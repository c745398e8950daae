"""Distances of landmarks, expressions and poses, worked out by hand."""

import cv2
import numpy as np
import pytest

from models.expression import eye_distance
from models.face import load_face_model
from models.metrics.motions import expression_distance, pose_distance_degrees
from models.metrics.points import key_point_distance, lip_distance, lip_opening, opening_correlation
from models.motion import expression
from models.topology import IBUG68, LOWER_LIP

NAN = float("nan")


@pytest.fixture
def face():
    return 100 * load_face_model().mean.astype(np.float64)


def test_a_shift_of_3_and_4_pixels_is_a_key_point_distance_of_5(face):
    assert key_point_distance(face + [3.0, 4.0, 99.0], face) == pytest.approx(5), "depth does not count"
    one = face.copy()
    one[IBUG68[30], 0] += 68
    assert key_point_distance(one, face) == pytest.approx(1)


def test_lips_are_compared_wherever_the_mouth_is(face):
    assert lip_distance(face + [30.0, -7.0, 0.0], face) == pytest.approx(0, abs=1e-9)
    mouth = face.copy()
    mouth[IBUG68[48], 1] += 20  # one of twenty points: 19 off by itself, and all the others by 1
    assert lip_distance(mouth, face) == pytest.approx((19 + 19) / 20)
    brow = face.copy()
    brow[IBUG68[20]] += 50
    assert lip_distance(brow, face) == 0


def test_an_open_mouth_is_open_by_its_gap_in_eye_distances(face):
    assert lip_opening(face) == pytest.approx(0, abs=1e-6)
    opened = face.copy()
    opened[LOWER_LIP, 1] += 10
    assert lip_opening(opened) == pytest.approx(10 / eye_distance(face))
    assert lip_opening(3 * opened) == pytest.approx(lip_opening(opened))


def test_correlation_leaves_out_lost_faces_and_mouths_that_do_not_move():
    clip = np.array([0.0, 0.1, 0.2, 0.1, 0.3])
    assert opening_correlation(0.5 * clip + 0.05, clip) == pytest.approx(1)
    assert opening_correlation(-clip, clip) == pytest.approx(-1)
    lost = np.array([0.0, NAN, 0.2, 0.1, 0.3])
    assert opening_correlation(lost, clip) == pytest.approx(1)
    assert opening_correlation(np.array([1.0, 0.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.0, 0.0])) == pytest.approx(0)
    assert np.isnan(opening_correlation(np.full(5, 0.1) + 0.03 * clip, clip)), "noise of a shut mouth"
    assert np.isnan(opening_correlation(clip[:2], clip[:2]))


def test_an_expression_differs_by_the_mean_of_its_coefficients():
    smile, open_mouth = expression(mouthSmileLeft=0.64), expression(jawOpen=0.32)
    assert expression_distance(smile, open_mouth) == pytest.approx((0.64 + 0.32) / 64)
    assert expression_distance(smile, smile) == 0


def test_poses_differ_by_one_angle_whatever_the_axes():
    nod, turn = np.array([0.3, 0.0, 0.0]), np.array([0.0, 0.4, 0.0])
    assert pose_distance_degrees(nod, np.zeros(3)) == pytest.approx(np.degrees(0.3))
    product = cv2.Rodrigues(nod)[0].T @ cv2.Rodrigues(turn)[0]
    assert pose_distance_degrees(nod, turn) == pytest.approx(np.degrees(np.arccos((np.trace(product) - 1) / 2)))
    assert pose_distance_degrees(turn, turn) == pytest.approx(0, abs=1e-6)
