"""What leaves for the other end of a call."""

import numpy as np

from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.far_end import FarEnd
from runtime.sinks.sound_line import RATE_HZ
from runtime.sound import Sound

BLOCK, BLOCK_NS = 960, 20_000_000
AGE_NS = 150_000_000


def test_the_voice_begins_with_the_lips() -> None:
    given: list[Motion] = []
    far_end = FarEnd(given.append, lambda: AGE_NS)
    heard: list[np.ndarray] = []
    for at_ns in range(0, 1_000_000_000, BLOCK_NS):
        far_end.hear(Sound(np.full((BLOCK, 1), 0.5, np.float32), RATE_HZ, at_ns))
        if at_ns >= AGE_NS:
            motion = Motion(at_ns - AGE_NS)
            far_end.send(Picture(np.zeros((2, 2, 3), np.uint8), motion, at_ns))
        heard.append(far_end.say(BLOCK, at_ns + BLOCK_NS))
    loud_s = np.flatnonzero(np.concatenate(heard)[:, 0] > 0.4) / RATE_HZ
    assert AGE_NS / 1e9 <= loud_s[0] + BLOCK_NS / 1e9 < AGE_NS / 1e9 + 0.1
    assert len(loud_s) == RATE_HZ - round(loud_s[0] * RATE_HZ), "without a hole"
