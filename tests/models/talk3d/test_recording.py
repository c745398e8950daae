"""What the networks are told of a head that somebody turns: what they were told when it was turned so."""

import numpy as np

from tests.models.talk3d.synthetic import recording


def test_a_turn_is_told_as_in_the_recording() -> None:
    known = recording()
    middle = np.median(known.turns, axis=0)
    pose = known.pose(0.1, -0.05)
    np.testing.assert_allclose((pose.yaw, pose.pitch), middle + (0.1, -0.05), atol=1e-6)
    np.testing.assert_allclose(pose.angles, np.array([pose.yaw, pose.pitch, pose.yaw]) * 60, atol=2.0)
    np.testing.assert_allclose(pose.landmarks[0], [0.5 * pose.yaw, 0.1 + 0.5 * pose.pitch], atol=0.02)


def test_a_head_turns_no_further_than_it_ever_did() -> None:
    known = recording()
    far, farther = known.pose(1.0, 1.0), known.pose(3.0, 3.0)
    assert far.yaw == farther.yaw <= known.turns[:, 0].max()
    np.testing.assert_array_equal(far.angles, farther.angles)
    assert np.isfinite(far.angles).all()


def test_what_is_told_changes_smoothly() -> None:
    known = recording()
    told = np.array([known.pose(yaw, 0.0).angles[0] for yaw in np.linspace(-0.2, 0.2, 401)])
    assert np.abs(np.diff(told)).max() < 0.5


def test_lids_go_from_mostly_open_to_shut() -> None:
    known = recording()
    assert known.eye(0.0) == 0.0
    assert known.eye(1.0) == 1.5
    assert 0 < known.eye(0.5) < 1.5
