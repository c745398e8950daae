"""A generator of the released classes that learns in seconds, and footage of nobody."""

import numpy as np
from golden.talk3d_files import filled

from models.talk3d.generator import Generator
from models.talk3d.personal.footage import Footage
from models.talk3d.personal.schedule import Schedule
from models.talk3d.size import GeneratorSize, StageWidths

SIZE = GeneratorSize(backbone=(16, 16, 16, 16), drawing=(16, 8), rendered=32)
WIDTHS: StageWidths = (8, 16, 32)
FRAMES = 22
SCHEDULE = Schedule(
    frames=2,
    inversion_steps=8,
    tuning_steps=8,
    first_frame_steps=3,
    frame_steps=1,
    delta_steps=8,
    drawing_steps=6,
    samples=8,
    saved_every=3,
)


def generator() -> Generator:
    """Filled by rule: a fog."""
    return filled(Generator(SIZE), "generator.")


def footage(count: int = FRAMES) -> Footage:
    """A grey disc that opens and shuts a dark mouth as its sound goes up and down."""
    side, random = SIZE.picture, np.random.default_rng(0)
    down, right = np.mgrid[:side, :side] / side - 0.5
    disc = np.hypot(down, right) < 0.4
    loud = 0.5 + 0.5 * np.sin(np.arange(count))
    mouths = [np.hypot(right / 0.2, (down - 0.15) / (0.02 + 0.1 * each)) < 1 for each in loud]
    grey = np.stack([np.where(mouth, 30, np.where(disc, 180, 90)) for mouth in mouths])
    around = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    faces = 0.5 + np.stack([0.3 * np.cos(around), 0.3 * np.sin(around)], 1)
    faces = faces + np.zeros((count, 1, 1)) + 0.01 * random.standard_normal((count, 1, 1))
    return Footage(
        pictures=np.repeat(grey[..., None], 3, 3).astype(np.uint8),
        faces=faces.astype(np.float32),
        landmarks=random.uniform(-0.3, 0.3, (count, 6, 2)).astype(np.float32),
        angles=random.uniform(-9, 9, (count, 3)).astype(np.float32),
        eyes=np.zeros(count, np.float32),
        sounds=(loud[:, None, None, None] * np.ones((1, 8, 44, 16))).astype(np.float32),
        voice=(9000 * loud[:, None] * random.standard_normal((count, 640))).astype(np.int16),
    )
