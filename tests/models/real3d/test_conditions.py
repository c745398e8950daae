"""Motions as the networks' conditions, on our own face in the face model's layout."""

import cv2
import numpy as np
import pytest

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.camera import row_rotation
from models.face import load_face_model
from models.face_fit.objective import Coefficients
from models.motion import Motion, expression
from models.real3d.conditions import Conditioner
from models.real3d.painter import CpuPainter
from models.topology import CHIN

OWN = load_face_model()
NOSE_TIP = 1


def person(euler=(0.0, 0.0, 0.0), translation=(0.0, 0.0, 0.0), seed=None):
    numbers = np.zeros(64) if seed is None else 0.3 * np.random.default_rng(seed).standard_normal(64)
    return Coefficients(
        identity=np.zeros(80, np.float32),
        expression=numbers.astype(np.float32),
        euler=np.array(euler, np.float32),
        translation=np.array(translation, np.float32),
    )


@pytest.fixture(scope="module")
def conditioner(face):
    return Conditioner(face, OWN, person())


def where(face, conditioner, motion, vertex):
    """Where a vertex of the face at rest is seen: x right, y down, of a picture of side 2 around 0."""
    shown = conditioner.shown(motion)
    x, y, z = face.model.mean[vertex] @ row_rotation(shown.euler) + shown.translation
    return 2 * FOCAL * np.array([x, -y]) / (CAMERA_DISTANCE - z)


def painted(face, conditioner, motion):
    return CpuPainter(face)(conditioner(motion))[0].numpy()


def test_rest_is_the_portrait_as_it_is(face):
    conditioner = Conditioner(face, OWN, person((0.1, -0.2, 0.05), (0.1, 0.05, 0.2), seed=1))
    for given, wanted in zip(conditioner(Motion(0)), conditioner.source(), strict=True):
        np.testing.assert_allclose(given, wanted, atol=1e-5)


def test_a_neutral_mouth_shows_the_neutral_face(face):
    conditioner = Conditioner(face, OWN, person(seed=2))
    given = conditioner(Motion(0, expression(mouthNeutral=1.0)))
    np.testing.assert_allclose(given.expression, conditioner.canonical().expression, atol=1e-6)
    assert np.abs(given.expression - conditioner.source().expression).max() > 0.05


def test_an_open_jaw_moves_the_chin_of_the_codes_down(face, conditioner):
    motions = (Motion(0, expression(mouthNeutral=1.0, jawOpen=jaw)) for jaw in (0.0, 0.8))
    rest, open_ = (painted(face, conditioner, motion) for motion in motions)
    lowest = [np.flatnonzero((pncc > -1).any(0)[:, 256]).max() for pncc in (rest, open_)]
    assert lowest[1] > lowest[0] + 5


@pytest.mark.parametrize(("axis", "sign"), [(0, 1), (0, -1), (1, 1), (1, -1)])
def test_the_nose_goes_where_the_head_turns(face, conditioner, axis, sign):
    rotation = np.zeros(3, np.float32)
    rotation[axis] = sign * 0.3
    moved = where(face, conditioner, Motion(0, rotation=rotation), NOSE_TIP)
    shift = moved - where(face, conditioner, Motion(0), NOSE_TIP)
    nose = cv2.Rodrigues(rotation.astype(float))[0] @ [0.0, 0.0, -1.0]  # which way a nose points, in motions' axes
    assert np.sign(shift[1 - axis]) == np.sign(nose[1 - axis])
    assert abs(shift[1 - axis]) > 0.05


def test_a_shift_of_the_head_is_seen_in_eye_distances(face, conditioner):
    shift = where(face, conditioner, Motion(0, translation=np.array([0.5, 0.25, 0], np.float32)), CHIN)
    shift = shift - where(face, conditioner, Motion(0), CHIN)
    eyes = where(face, conditioner, Motion(0), 263)[0] - where(face, conditioner, Motion(0), 33)[0]
    np.testing.assert_allclose(shift / eyes, [0.5, 0.25], rtol=0.06)


def test_key_points_follow_the_head_and_the_camera_goes_the_other_way(conditioner):
    rest, moved = conditioner(Motion(0)), conditioner(Motion(0, translation=np.array([0.5, 0, 0], np.float32)))
    assert (moved.key_points[..., 0] > rest.key_points[..., 0] + 0.02).all()
    assert not moved.key_points[..., 2].any()
    assert moved.camera[0, 3] < rest.camera[0, 3] - 0.05


def test_blinks_close_the_holes_of_their_eyes(face, conditioner):
    motions = (
        Motion(0, expression(eyeBlinkLeft=left, eyeBlinkRight=right)) for right, left in ((1, 0), (0, 1), (0, 0))
    )
    right, left, open_ = (painted(face, conditioner, motion) for motion in motions)
    eyes = np.s_[:, 128:256, 128:384]
    closed = [(picture[eyes] > -1).all(0) & (open_[eyes] == -1).all(0) for picture in (right, left)]
    assert closed[0][:, :128].sum() > 100 < closed[1][:, 128:].sum()  # the subject's right is the picture's left
    assert not closed[0][:, 128:].any() and not closed[1][:, :128].any()


def test_blinks_stay_out_of_the_coefficients(conditioner):
    spoken = expression(jawOpen=0.6, mouthPucker=0.3)
    blinking = Motion(0, spoken + expression(eyeBlinkLeft=1.0, eyeBlinkRight=0.5))
    np.testing.assert_array_equal(conditioner(blinking).expression, conditioner(Motion(0, spoken)).expression)
    assert blinking["eyeBlinkLeft"] == pytest.approx(1.0)


def test_a_tracked_surface_shows_in_the_codes(face, conditioner):
    surface = np.tensordot(expression(jawOpen=0.5), OWN.expression, 1).astype(np.float32)
    motions = Motion(0, expression(jawOpen=0.5)), Motion(0, surface=surface), Motion(0)
    named, tracked, rest = (painted(face, conditioner, motion) for motion in motions)
    assert np.abs(tracked - named).mean() < 1e-3
    assert np.abs(tracked - rest).mean() > 0.01
    for given, wanted in zip(conditioner(motions[1])[3:], conditioner(motions[0])[3:], strict=True):
        assert np.abs(given - wanted).mean() < 1e-3
