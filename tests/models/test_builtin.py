"""The built-in engine on the bundled portrait, judged by a face tracker that looks at its pictures."""

import cv2
import numpy as np
import pytest

from calibration.fit import MotionFit, Zero
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import COARSENESS, BuiltinAvatar
from models.expression import EYES, eye_distance
from models.face import load_face_model
from models.landmarks import find_faces
from models.motion import COEFFICIENTS, INDEX, Motion, expression
from models.pose import fit_pose
from models.topology import FACE_OVAL


@pytest.fixture(scope="module")
def portrait(portrait_png):
    return prepare_portrait(read_photo(portrait_png), (512, 512))


@pytest.fixture(scope="module")
def avatar(portrait):
    return BuiltinAvatar(portrait, load_face_model())


@pytest.fixture(scope="module")
def look(avatar):
    """Landmarks of the avatar under a motion, in canonical space, and the head's pose."""

    def look(rotation=(0.0, 0.0, 0.0), **coefficients):
        picture = avatar.render(Motion(0, expression(**coefficients), np.array(rotation, np.float32)))
        landmarks = find_faces(picture)[0]
        pose = fit_pose(landmarks, load_face_model().mean)
        return pose.to_canonical(landmarks.astype(np.float64)), pose

    return look


def lip_gap(face):
    return np.linalg.norm(face[14] - face[13]) / eye_distance(face)


def mouth_width(face):
    return np.linalg.norm(face[308] - face[78]) / eye_distance(face)


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2))


def test_rest_pose_reproduces_the_photo(portrait, avatar):
    picture = avatar.render(Motion(0))
    face = np.zeros(portrait.matte.shape, np.uint8)
    cv2.fillPoly(face, [portrait.landmarks[FACE_OVAL, :2].astype(np.int32)], 1)
    assert psnr(picture[face > 0], portrait.image[face > 0]) > 45
    assert psnr(picture, portrait.image) > 30


@pytest.mark.parametrize("size", [(512, 512), (160, 122), (101, 97)])
def test_lower_levels_draw_the_same_more_coarsely(portrait_png, size):
    avatar = BuiltinAvatar(prepare_portrait(read_photo(portrait_png), size), load_face_model())
    turned = Motion(0, expression(jawOpen=0.5, mouthSmileLeft=1), np.array([0.05, 0.2, 0], np.float32))
    for motion in (Motion(0), turned):
        best, coarser, coarsest = (avatar.render(motion, level) for level in range(len(COARSENESS)))
        assert best.shape == coarser.shape == coarsest.shape == (*size[::-1], 3)
        assert 35 > psnr(best, coarser) > psnr(best, coarsest) + 2
        smooth = [cv2.GaussianBlur(picture, (0, 0), 3) for picture in (best, coarser, coarsest)]
        assert psnr(smooth[0], smooth[1]) > 45, "nothing is shifted"
        assert psnr(smooth[0], smooth[2]) > 37


def test_the_mouth_closes_and_opens_as_far_as_asked(look):
    gaps = [lip_gap(look(mouthNeutral=1, jawOpen=jaw)[0]) for jaw in (0.0, 0.3, 0.6, 1.0)]
    assert gaps[0] < 0.04, "the photo smiles with open lips; neutral closes them"
    assert np.all(np.diff(gaps) > 0.02)
    assert gaps[3] > 0.12


def test_rest_keeps_the_smile_of_the_photo(look):
    assert lip_gap(look()[0]) > 0.08


def test_a_smiling_portrait_can_round_its_lips(look):
    rounded = look(mouthNeutral=1.0, mouthPucker=0.9, mouthFunnel=0.3, jawOpen=0.2)[0]
    assert mouth_width(look(mouthNeutral=1.0)[0]) < 0.92 * mouth_width(look()[0])
    assert mouth_width(rounded) < 0.65 * mouth_width(look()[0])


def test_eyes_close_one_by_one(look):
    open_face, left_shut = look()[0], look(eyeBlinkLeft=1)[0]
    right, left = EYES
    assert left.openness(left_shut) < 0.55 * left.openness(open_face)
    assert right.openness(left_shut) > 0.8 * right.openness(open_face)
    shut = look(eyeBlinkLeft=1, eyeBlinkRight=1)[0]
    assert max(eye.openness(shut) for eye in EYES) < 0.16


def test_pucker_narrows_and_smile_widens_the_mouth(look):
    neutral = mouth_width(look(mouthNeutral=1)[0])
    assert mouth_width(look(mouthNeutral=1, mouthPucker=1)[0]) < neutral - 0.04
    assert mouth_width(look(mouthNeutral=1, mouthSmileLeft=1, mouthSmileRight=1)[0]) > neutral + 0.03


def test_gaze_goes_to_the_named_side(look):
    middle = look()[0]
    # The subject's left is the picture's right: +x.
    leftwards = look(eyeLookOutLeft=1, eyeLookInRight=1)[0]
    for eye in EYES:
        assert (eye.gaze(leftwards) - eye.gaze(middle))[0] > 0.1 * eye.width(middle)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_head_turns_as_asked(look, axis, sign):
    asked = np.zeros(3)
    asked[axis] = sign * np.deg2rad(12)
    turned, rest = look(rotation=tuple(asked))[1], look()[1]
    found = cv2.Rodrigues(turned.rotation @ rest.rotation.T)[0].ravel()
    assert sign * found[axis] > np.deg2rad(6.5)
    others = np.delete(found, axis)
    assert np.abs(others).max() < np.deg2rad(5)


def test_the_head_shifts_and_comes_nearer(avatar, portrait):
    moved = avatar.render(Motion(0, translation=np.array([0.3, 0.1, -1.5], np.float32)))
    before, after = find_faces(portrait.image)[0], find_faces(moved)[0]
    unit = np.linalg.norm(before[33] - before[263])
    assert np.linalg.norm(after[33, :2] - after[263, :2]) > 1.1 * np.linalg.norm(before[33, :2] - before[263, :2])
    assert (after[:, 0].mean() - before[:, 0].mean()) / unit == pytest.approx(0.3, abs=0.1)


def test_no_motion_is_too_wild_to_draw(avatar):
    rng = np.random.default_rng(1)
    for _ in range(20):
        motion = Motion(
            0,
            rng.uniform(-3, 3, 64).astype(np.float32),
            rng.uniform(-2, 2, 3).astype(np.float32),
            rng.uniform(-9, 9, 3).astype(np.float32),
        )
        picture = avatar.render(motion)
        assert picture.shape == (512, 512, 3) and picture.dtype == np.uint8


def test_the_same_motion_gives_the_same_picture_and_a_new_array(avatar):
    motion = Motion(0, expression(jawOpen=0.4, eyeLookUpLeft=0.3))
    first = avatar.render(motion)
    kept = first.copy()
    avatar.render(Motion(0, expression(mouthPucker=1)))
    assert np.array_equal(first, kept), "earlier pictures are not written again"
    assert np.array_equal(avatar.render(motion), kept)


def test_fit_finds_the_coefficients_that_made_a_face():
    model = load_face_model()
    neutral = 100 * model.mean.astype(np.float64) + [256, 256, 0]
    asked = {"jawOpen": 0.5, "mouthSmileLeft": 0.6, "browInnerUp": 0.7, "eyeLookOutLeft": 0.5}
    face = 100 * (model.mean + np.tensordot(expression(**asked), model.expression, 1)).astype(np.float64) + [
        266,
        256,
        0,
    ]
    fit = MotionFit(Zero.of_frame(neutral, model), model)
    motion = fit.motion(fit.measure(face, fit.head(face)), 7)
    assert motion.pts_ns == 7
    for name, value in asked.items():
        assert motion[name] == pytest.approx(value, abs=0.15), name
    unasked = [n for n in COEFFICIENTS if n not in (*asked, "mouthNeutral")]
    assert max(abs(motion.expression[INDEX[n]]) for n in unasked) < 0.35
    assert np.abs(motion.rotation).max() < 0.06
    assert motion.translation[0] == pytest.approx(0.1, abs=0.03)
