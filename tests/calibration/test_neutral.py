"""The neutral face: many frames speak, none alone."""

import numpy as np
import pytest

from calibration.neutral import NeutralEstimate, neutral_weight
from models.face import load_face_model
from models.pose import fit_pose
from tests.people import Person

CLOSED = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
GRIMACE = {"mouthSmileLeft": 1.0, "browDownLeft": 1.0, "browDownRight": 1.0, "noseSneerLeft": 1.0}


def add(estimate, landmarks):
    pose = fit_pose(landmarks, load_face_model().mean)
    face = pose.to_canonical(landmarks.astype(np.float64))
    estimate.add(face, neutral_weight(face, pose))


def error(estimate, person):
    truth = fit_pose(person.face, load_face_model().mean).to_canonical(person.face)
    return np.linalg.norm(estimate.face() - truth, axis=1).mean()


def weight(**how):
    landmarks = Person(1).seen(**how)
    pose = fit_pose(landmarks, load_face_model().mean)
    return neutral_weight(pose.to_canonical(landmarks.astype(np.float64)), pose)


def test_rest_weighs_most_and_talking_blinking_turning_faces_hardly_anything():
    assert weight() > 0.7
    for how in ({"jawOpen": 0.5}, CLOSED, {"yaw_deg": 35}):
        assert weight(**how) < 0.05, how
    assert weight() > weight(yaw_deg=10) > weight(yaw_deg=20)


def test_a_grimacing_first_frame_does_not_spoil_it():
    person, estimate = Person(1), NeutralEstimate()
    add(estimate, person.seen(**GRIMACE))
    spoiled = error(estimate, person)
    for _ in range(20):
        add(estimate, person.seen())
    assert error(estimate, person) < 0.05 * spoiled


def test_many_grimaces_among_rest_do_not_spoil_it():
    person, estimate = Person(2), NeutralEstimate()
    for k in range(90):
        add(estimate, person.seen(**(GRIMACE if k % 3 == 0 else {})))
    clean = NeutralEstimate()
    for _ in range(60):
        add(clean, person.seen())
    assert error(estimate, person) < 2 * error(clean, person)


def test_it_converges_and_later_bad_frames_do_not_move_it():
    person, estimate, errors = Person(3), NeutralEstimate(), []
    for count in (2, 20, 300):
        while estimate.count < count:
            add(estimate, person.seen(noise_px=1.0))
        errors.append(error(estimate, person))
    assert errors[0] > errors[1] > errors[2]
    settled = estimate.face()
    for _ in range(500):
        add(estimate, person.seen(jawOpen=0.7))
    assert np.array_equal(estimate.face(), settled)


def test_better_frames_take_the_place_of_poor_ones():
    person, estimate = Person(4), NeutralEstimate()
    for _ in range(300):
        add(estimate, person.seen(yaw_deg=14, mouthSmileLeft=0.5, mouthSmileRight=0.5))
    poor = error(estimate, person)
    for _ in range(150):
        add(estimate, person.seen())
    assert error(estimate, person) < 0.1 * poor


def test_before_the_first_face_there_is_none():
    with pytest.raises(ValueError, match="no face"):
        NeutralEstimate().face()
