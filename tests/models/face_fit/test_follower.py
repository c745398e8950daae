"""Motions in the coefficients of a face model of BFM's layout: what is said and what is tracked."""

from dataclasses import replace

import numpy as np
import pytest
from golden.face_file import FLIP, UNIT
from jaxtyping import Float32

from models.face import load_face_model
from models.face_fit.follower import FaceFollower
from models.motion import Motion, expression, lerp
from models.pose import similarity
from models.real3d.face import Real3dFace
from models.topology import SURFACE_COUNT

OWN = load_face_model()
CHEEK = 50


def follower_of(face: Real3dFace) -> FaceFollower:
    keypoints = face.model.keypoints68
    return FaceFollower(face, OWN, similarity(OWN.mean[OWN.keypoints68], face.model.mean[keypoints]))


@pytest.fixture(scope="module")
def follower(face: Real3dFace) -> FaceFollower:
    return follower_of(face)


def surface_of(**coefficients: float) -> Float32[np.ndarray, "478 3"]:
    """What a tracker would leave to the surface if no coefficient explained these."""
    return np.tensordot(expression(**coefficients), OWN.expression, 1).astype(np.float32)


def test_the_face_moves_alike(face: Real3dFace, follower: FaceFollower) -> None:
    named = {"jawOpen": 0.6, "mouthPucker": 0.3, "eyeBlinkLeft": 1.0}
    moved = np.tensordot(follower(Motion(0, expression(**named))), face.model.expression[:, :SURFACE_COUNT], 1)
    expected = UNIT * surface_of(**named)[:SURFACE_COUNT] * FLIP
    np.testing.assert_allclose(moved, expected, atol=0.05 * np.abs(expected).max())
    assert np.abs(expected).max() > 0.1


def test_coefficients_and_surface_say_the_same(follower: FaceFollower) -> None:
    tracked = Motion(0, expression(jawOpen=0.2), surface=surface_of(browInnerUp=0.4, jawOpen=0.1))
    named = Motion(0, expression(jawOpen=0.3, browInnerUp=0.4))
    np.testing.assert_allclose(follower(tracked), follower(named), atol=1e-4)
    assert np.abs(follower(named)).max() > 0.1


def test_what_no_coefficient_of_ours_says_is_followed_too(face: Real3dFace) -> None:
    distance = np.linalg.norm(OWN.mean - OWN.mean[CHEEK], axis=1)
    dimple = (np.exp(-((distance / 0.15) ** 2))[:, None] * [0, 0, 0.1]).astype(np.float32)
    shapes = face.model.expression.copy()
    shapes[7] = UNIT * dimple * FLIP
    follower = follower_of(replace(face, model=replace(face.model, expression=shapes)))
    tracked = follower(Motion(0, surface=dimple))
    assert tracked[7] == pytest.approx(1.0, abs=0.05)
    assert np.abs(np.delete(tracked, 7)).max() < 0.1


def test_a_surface_comes_and_goes_without_a_jump(follower: FaceFollower) -> None:
    spoken = Motion(0, expression(jawOpen=0.4))
    seen = replace(spoken, surface=surface_of(mouthSmileLeft=0.3, browInnerUp=0.4))
    without, whole = follower(spoken), follower(seen)
    for weight in (0.0, 1e-3, 0.5, 1.0):
        expected = without + np.float32(weight) * (whole - without)
        np.testing.assert_allclose(follower(lerp(spoken, seen, weight)), expected, atol=1e-5)
    assert np.abs(whole - without).max() > 0.1


def test_a_mistracked_surface_moves_the_face_no_further_than_faces_move(follower: FaceFollower) -> None:
    surface = surface_of(jawOpen=1.0)
    surface *= 0.2 / np.linalg.norm(surface, axis=1).max()
    usual = follower(Motion(0, surface=surface))
    for times in (10, 1000):
        wild = follower(Motion(0, surface=times * surface))
        np.testing.assert_allclose(wild, usual * 0.25 / 0.2, rtol=1e-3, atol=1e-5)


def test_a_frame_does_not_depend_on_those_before(follower: FaceFollower) -> None:
    motion = Motion(0, expression(jawOpen=0.4), surface=surface_of(mouthSmileLeft=0.3))
    first = follower(motion)
    follower(Motion(1, surface=surface_of(jawOpen=1.0)))
    np.testing.assert_array_equal(follower(motion), first)
