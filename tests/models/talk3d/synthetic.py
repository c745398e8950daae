"""A person who never was: a recording of a head that turns and blinks."""

import numpy as np

from models.talk3d.recording import Recording

FRAMES = 200


def recording() -> Recording:
    """Its angles and landmarks follow the camera."""
    turn = np.sin(np.arange(FRAMES)[:, None] / np.array([17.0, 29.0])) * [0.3, 0.15]
    points = np.array([[0.0, 0.1], [0.2, -0.1], [-0.2, -0.1]]) + 0.5 * turn[:, None]
    return Recording(
        latent=np.random.default_rng(0).standard_normal(512).astype(np.float32),
        turns=turn.astype(np.float32),
        angles=(np.column_stack([turn, turn[:, 0]]) * 60).astype(np.float32),
        landmarks=points.astype(np.float32),
        eyes=(np.arange(FRAMES) % 50 == 0).astype(np.float32) * 1.5,
    )
