"""The camera of a pose."""

import numpy as np

from models.goha.camera import DISTANCE, camera_labels
from models.real3d import camera as real3d


def test_a_frontal_head_is_seen_from_the_front() -> None:
    label = camera_labels(np.zeros(3), np.zeros(3))
    np.testing.assert_allclose(label[:16].reshape(4, 4)[:3, 3], [0, 0, DISTANCE], atol=1e-6)
    np.testing.assert_allclose(label[:16].reshape(4, 4)[:3, :3], np.diag([1, -1, -1]), atol=1e-6)
    np.testing.assert_allclose(label[16:], [4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1], atol=1e-4)


def test_a_nearer_head_changes_nothing_a_turned_one_does() -> None:
    turned = np.array([0.1, -0.4, 0.05])
    labels = camera_labels(np.stack([turned, turned]), np.array([[0.0, 0, 0], [0, 0, 4.0]]))
    np.testing.assert_array_equal(labels[0], labels[1])
    place = labels[0, :16].reshape(4, 4)[:3, 3]
    np.testing.assert_allclose(np.linalg.norm(place), DISTANCE, rtol=1e-6)
    assert abs(place[0]) > 0.9


def test_it_looks_the_way_that_other_renderers_camera_does() -> None:
    """Of the same pose: turned alike; the place differs by the head's centre and by the distance alone."""
    euler, shift = np.array([0.1, -0.4, 0.05]), np.array([0.3, -0.2, 0.5])
    ours, theirs = (
        labels(euler, shift)[:16].reshape(4, 4).astype(np.float64) for labels in (camera_labels, real3d.camera_labels)
    )
    np.testing.assert_array_equal(ours[:3, :3], theirs[:3, :3])
    towards = theirs[:3, 3] - [0, 0.006, 0.161]
    np.testing.assert_allclose(ours[:3, 3], DISTANCE * towards / np.linalg.norm(towards), atol=1e-5)
