"""The mesh around a face: round hair, a neck that comes along with the jaw, and flanks that are not too steep."""

import numpy as np
import pytest

from models.builtin.slopes import with_gentle_slopes
from models.builtin.surround import build_surround
from models.face import load_face_model
from models.topology import CHIN, FACE_OVAL, FOREHEAD_TOP

SIDE, MARGIN = 512, 96


@pytest.fixture(scope="module")
def face():
    """The mean face, about 190 pixels high, looking at the camera."""
    return (120 * load_face_model().mean.astype(np.float64) + [256, 220, 0]).astype(np.float32)


@pytest.fixture(scope="module")
def surround(face):
    person = np.zeros((SIDE + 2 * MARGIN,) * 2, bool)
    y, x = np.mgrid[: len(person), : len(person)] - MARGIN
    person[np.hypot(x - 256, y - 200) < 150] = True  # a head
    person[(np.abs(x - 256) < 60) & (y > 200)] = True  # on its neck
    return build_surround(face, person, MARGIN)


def column(surround, face, sign):
    """Depths and head weights straight above (-1) or below (1) the face, by distance from it in face heights."""
    end = face[CHIN if sign > 0 else FOREHEAD_TOP]
    height = face[CHIN, 1] - face[FOREHEAD_TOP, 1]
    points = surround.points
    near = (np.abs(points[:, 0] - end[0]) < 9) & ((points[:, 1] - end[1]) * sign > 0)
    order = np.argsort(np.abs(points[near, 1] - end[1]))
    distance = np.abs(points[near, 1] - end[1])[order] / height
    return distance, (points[near, 2][order] - end[2]) / height, surround.head_weight[near][order]


def test_hair_above_the_forehead_goes_back_slowly_and_then_fast(surround, face):
    distance, depth, _ = column(surround, face, -1)
    at = np.interp([0.1, 0.2, 0.3, 0.4], distance, depth)
    assert np.all(np.diff(at) > 0)
    assert at[1] < 0.45 * at[-1]


def test_the_neck_under_the_jaw_comes_along_and_the_torso_stays(surround, face):
    distance, _, weight = column(surround, face, 1)
    assert np.interp(0.08, distance, weight) > 0.4
    assert np.all(np.diff(weight) <= 0)
    assert weight[distance > 0.3].max() == 0


def test_a_face_that_looks_at_the_camera_keeps_its_depth_but_at_its_rim(face):
    gentle = with_gentle_slopes(face)
    np.testing.assert_array_equal(gentle[:, :2], face[:, :2])
    inner = np.setdiff1d(np.arange(468), FACE_OVAL)
    assert np.mean(gentle[inner, 2] == face[inner, 2]) > 0.85


def test_a_flank_seen_edge_on_is_brought_forward(face):
    steep = face.copy()
    side = steep[:468, 0] > 256 + 50
    steep[:468][side, 0] = 256 + 50 + 0.05 * (steep[:468][side, 0] - 306)
    gentle = with_gentle_slopes(steep)
    assert np.all(gentle <= steep)
    brought = steep[:468, 2] - gentle[:468, 2]
    assert brought[side].max() > 30 and brought[~side].max() < 0.5 * brought[side].max()
