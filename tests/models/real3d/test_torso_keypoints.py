"""What the torso follows is where the reference puts it."""

import numpy as np

from models.face_fit.objective import Coefficients
from models.real3d.face import Real3dFace
from models.real3d.torso_keypoints import torso_keypoints
from tests.models.real3d import synthetic


def test_key_points_are_the_references(reference_face: Real3dFace, golden: dict[str, np.ndarray]) -> None:
    poses = synthetic.tracks()
    fits = zip(poses["id"], poses["exp"], poses["euler"], poses["trans"], strict=True)
    points = np.array([torso_keypoints(reference_face, Coefficients(*fit)) for fit in fits])
    unbounded = golden["bfm.lm68_01/sub"] * 2 - 1
    assert (np.abs(unbounded) > 1).any()
    np.testing.assert_allclose(points[::5], np.clip(unbounded, -1, 1), atol=1e-6)
