"""The same person passes, others are refused; learning, ranges, gains."""

import numpy as np
import pytest

from calibration import learn
from calibration.fit import MotionFit, Zero, rest_pose
from calibration.learn import Learner
from calibration.likeness import FRAMES
from calibration.person import PersonCheck, PhotoCheck
from calibration.profile import LEAST_GAIN, MOST_GAIN
from models.errors import InputError
from models.face import load_face_model
from models.motion import INDEX
from models.pose import fit_pose
from tests.people import HEIGHT, WIDTH, Person

SMILE = {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7}


@pytest.fixture(scope="module")
def profile():
    return Person(1).profile()


@pytest.mark.parametrize("how", [{}, {"yaw_deg": 8}, SMILE, {"jawOpen": 0.4}])
def test_the_same_person_is_known_after_some_frames(profile, how):
    check, person = PersonCheck(profile, load_face_model()), Person(1)
    assert [check.knows(person.seen(**how)) for _ in range(FRAMES + 2)] == [False] * (FRAMES - 1) + [True] * 3


@pytest.mark.parametrize("seed", range(2, 8))
def test_another_person_is_refused_with_the_reason(profile, seed):
    check, other = PersonCheck(profile, load_face_model()), Person(seed)
    with pytest.raises(InputError, match=r"not the face of the profile of me: .*; calibrate this person"):
        for _ in range(FRAMES):
            check.knows(other.seen())


def test_faces_turned_away_do_not_count(profile):
    check, other = PersonCheck(profile, load_face_model()), Person(2)
    assert not any(check.knows(other.seen(yaw_deg=40)) for _ in range(2 * FRAMES))


def test_a_recording_with_too_little_of_a_face_is_refused(profile):
    check, person = PersonCheck(profile, load_face_model()), Person(1)
    with pytest.raises(InputError, match=f"in 9 frames, {FRAMES} are needed"):
        check.watch([person.seen() for _ in range(9)] + [None] * 100)
    PersonCheck(profile, load_face_model()).watch([None, *(person.seen() for _ in range(FRAMES))])


def test_what_was_made_is_learnt_and_what_was_not_is_missing(profile):
    assert profile.saw("mouthSmile") and profile.saw("jawOpen")
    assert not profile.saw("mouthPucker") and not profile.saw("browInnerUp")
    assert profile.eyes_closed is not None and max(profile.eyes_closed) < 0.5 * min(profile.eyes_open)
    assert profile.frames == 200
    assert profile.field_of_view_source == "default"


def test_gains_bring_a_full_expression_to_one_within_bounds(profile):
    gains = profile.gains()
    smile = INDEX["mouthSmileLeft"]
    assert gains[smile] == gains[INDEX["mouthSmileRight"]]
    assert gains[smile] * profile.high[[smile, INDEX["mouthSmileRight"]]].mean() == pytest.approx(1.0, abs=0.02)
    assert gains[INDEX["mouthPucker"]] == 1.0 == gains[INDEX["browInnerUp"]]
    assert gains[INDEX["eyeBlinkLeft"]] == 1.0
    assert gains.min() >= LEAST_GAIN and gains.max() <= MOST_GAIN


def test_a_gain_adds_its_shape_and_leaves_the_surface(profile):
    model, landmarks = load_face_model(), Person(1).seen(**SMILE)
    pose = fit_pose(landmarks, model.mean)
    scaled = MotionFit(Zero.of_profile(profile, pose, model), model)
    plain = MotionFit(Zero.of_face(profile.neutral.astype(np.float64), model, pose), model)
    a, b = (fit.motion(fit.measure(landmarks, fit.head(landmarks)), 0) for fit in (scaled, plain))
    gain = profile.gains()[INDEX["mouthSmileLeft"]]
    assert gain > 1.1
    assert a["mouthSmileLeft"] == pytest.approx(gain * b["mouthSmileLeft"], rel=1e-3)
    lids = np.abs(model.expression[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]]).max((0, 2)) > 1e-3
    np.testing.assert_allclose(a.surface[~lids], b.surface[~lids], atol=1e-3)


def test_eyes_that_never_quite_shut_close_as_far_as_this_persons_do():
    model, most = load_face_model(), {"eyeBlinkLeft": 0.6, "eyeBlinkRight": 0.6}
    profile, shut = Person(1).profile(blink=0.6), Person(1).seen(**most)
    pose = fit_pose(shut, model.mean)
    own = MotionFit(Zero.of_profile(profile, pose, model), model)
    usual = MotionFit(Zero.of_face(profile.neutral.astype(np.float64), model, pose), model)
    assert usual.motion(usual.measure(shut, usual.head(shut)), 0)["eyeBlinkLeft"] < 0.9
    assert own.motion(own.measure(shut, own.head(shut)), 0)["eyeBlinkLeft"] > 0.95


def test_a_long_calibration_keeps_part_of_its_faces_and_counts_all(monkeypatch):
    monkeypatch.setattr(learn, "_MOST_FACES", 60)
    profile = Person(1).profile(frames=500)
    assert profile.frames == 500
    assert profile.saw("jawOpen")


def test_the_rest_pose_holds_at_any_resolution(profile):
    truth = fit_pose(Person(1).seen(noise_px=0), load_face_model().mean)
    for factor in (1, 2):
        pose = rest_pose(profile.rest, factor * WIDTH, factor * HEIGHT)
        assert pose.scale == pytest.approx(factor * truth.scale, rel=0.01)
        np.testing.assert_allclose(pose.translation[:2], factor * truth.translation[:2], atol=factor)
        np.testing.assert_allclose(pose.rotation, truth.rotation, atol=0.01)


def test_too_few_frames_or_no_rest_is_said(profile):
    learner, person = Learner(load_face_model()), Person(1)
    with pytest.raises(InputError, match="seen in 0 frames"):
        learner.profile("me", "now")
    for _ in range(FRAMES):
        learner.add(person.seen(jawOpen=0.8), WIDTH, HEIGHT)
    with pytest.raises(InputError, match="never at rest"):
        learner.profile("me", "now")


def test_a_photo_knows_its_own_person_once_enough_was_seen_and_nobody_else() -> None:
    photo = Person(1).seen(yaw_deg=3)
    for person, same in ((Person(1), True), (Person(2), False), (Person(5), False)):
        check = PhotoCheck(photo, load_face_model())
        for _ in range(FRAMES - 1):
            check.see(person.seen(pitch_deg=2, jawOpen=0.1))
        check.see(person.seen(yaw_deg=60))  # does not count
        assert check.same is None
        check.see(person.seen())
        assert check.same is same
