"""Poses become cameras as the released code makes them."""

import numpy as np

from models.camera import row_rotation
from models.real3d.camera import camera_labels
from tests.models.real3d import synthetic


def test_poses_become_the_reference_cameras(golden: dict[str, np.ndarray]) -> None:
    poses = synthetic.tracks()
    np.testing.assert_allclose(row_rotation(poses["euler"]), golden["bfm.rotation/sub"], atol=1e-6)
    labels = camera_labels(poses["euler"], poses["trans"])
    np.testing.assert_allclose(labels, golden["camera.raw/sub"], atol=1e-6)


def test_a_single_pose_has_a_single_label() -> None:
    label = camera_labels(np.zeros(3), np.zeros(3))
    assert label.shape == (25,)
    np.testing.assert_allclose(label[:16].reshape(4, 4)[:3, 3], [0, 0.006, 2.861], atol=1e-6)
    np.testing.assert_allclose(label[16:], [4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1], atol=1e-4)


def test_a_head_that_turns_to_its_left_is_seen_from_its_right() -> None:
    position = camera_labels(np.array([0.0, 0.3, 0.0]), np.zeros(3))[:16].reshape(4, 4)[:3, 3]
    assert position[0] < -0.5  # the subject's left is where x grows
