"""Pose tracks of other clips, and smoothing with the future and without."""

import numpy as np
import pytest

from models.real3d.tracks import PoseTrack, box_smoothed, live_pose, mirrored


def track() -> PoseTrack:
    steps = np.arange(15, dtype=np.float32).reshape(5, 3)
    return PoseTrack(euler=0.01 * steps, translation=0.1 * steps)


def test_a_clip_is_played_forwards_and_backwards(golden: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(mirrored(5, 17), golden["mirror_index_len5"])
    looped = track().looped(7)
    np.testing.assert_array_equal(looped.euler, track().euler[[0, 1, 2, 3, 4, 4, 3]])
    np.testing.assert_array_equal(looped.translation, track().translation[[0, 1, 2, 3, 4, 4, 3]])


def test_a_track_is_carried_to_the_portraits_pose() -> None:
    euler, translation = np.array([1, 2, 3], np.float32), np.array([4, 5, 6], np.float32)
    carried = track().at_one_distance().starting_at(euler, translation)
    np.testing.assert_array_equal(carried.euler[0], euler)
    np.testing.assert_allclose(np.diff(carried.euler, axis=0), 0.03, atol=1e-6)
    np.testing.assert_allclose(carried.translation[:, 2], 6)
    np.testing.assert_allclose(carried.translation[4, :2] - carried.translation[0, :2], 1.2, atol=1e-6)


def test_the_box_of_seven_mirrors_the_clip_at_its_ends() -> None:
    values = np.array([[1.0], [2.0], [4.0], [8.0], [16.0]])
    expected = [
        [(4 + 2 + 1 + 1 + 2 + 4 + 8) / 7],
        [(2 + 1 + 1 + 2 + 4 + 8 + 16) / 7],
        [(1 + 1 + 2 + 4 + 8 + 16 + 16) / 7],
    ]
    np.testing.assert_allclose(box_smoothed(values)[:3], expected)
    with pytest.raises(ValueError, match="2 frames"):
        box_smoothed(values[:2])


def test_live_smoothing_calms_a_resting_head_and_follows_a_moving_one() -> None:
    rng = np.random.default_rng(0)
    tremble, smoothing = rng.normal(0, 0.003, (100, 6)), live_pose()
    calm = np.array([smoothing(pose, k * 40_000_000) for k, pose in enumerate(tremble)])
    assert calm[20:].std() < 0.6 * tremble[20:].std()
    turn, smoothing = np.outer(np.arange(50) * 0.04, np.ones(6)), live_pose()  # 1 rad/s
    late = turn - np.array([smoothing(pose, k * 40_000_000) for k, pose in enumerate(turn)])
    assert late[20:].max() < 0.04  # less than a frame late; the box of seven is three
    smoothing.reset()
    np.testing.assert_array_equal(smoothing(turn[7], 0), turn[7])
