"""The normaliser's loop over frames, compiled by numba and cached on disk."""

import numpy as np
from numba import njit

_PRIOR = 50.0
"""Frames of speech that weigh as much as the generic profile."""
_LEVEL_MEMORY, _COLOUR_MEMORY = 300.0, 1000.0
_PEAK_DECAY = 0.004
"""Natural log per frame: 1.7 dB/s."""
_ACTIVE = 4.0
QUIETEST = -13.0
"""Mean log power below which nothing is learned: there is no sound."""
_FLOOR_RISE = 0.003


@njit(cache=True, nogil=True)
def normalise(frames, profile, state, out):
    """Normalises frame after frame.

    Args:
        frames: float32 [n, bands], natural log of power.
        profile: float32 [bands], the generic spectrum over its level.
        state: float32 [4 + bands], read and written: level, frames heard, peak, floor, colour.
        out: float32 [n, bands + 2], written: the bands over level and colour, loudness over level, level over floor.
    """
    bands = frames.shape[1]
    level, heard, peak, floor = state[0], state[1], state[2], state[3]
    colour = state[4:]
    for t in range(frames.shape[0]):
        power = 0.0
        for b in range(bands):
            power += np.exp(frames[t, b])
        loudness = np.log(power / bands)
        peak = max(loudness, peak - _PEAK_DECAY)
        floor = max(min(loudness, floor + _FLOOR_RISE), QUIETEST)
        if loudness > max(peak - _ACTIVE, QUIETEST):
            if heard == 0.0:
                level = loudness - 1.0
            heard = min(heard + 1.0, _COLOUR_MEMORY)
            level += (loudness - level) / min(heard + 3.0, _LEVEL_MEMORY)
            weight = 1.0 / min(heard + _PRIOR, _COLOUR_MEMORY)
            for b in range(bands):
                colour[b] += (frames[t, b] - level - profile[b] - colour[b]) * weight
        base = level if heard > 0.0 else loudness
        for b in range(bands):
            out[t, b] = min(max((frames[t, b] - base - profile[b] - colour[b]) * 0.5, -4.0), 2.5)
        out[t, bands] = min(max((loudness - base) * 0.5, -4.0), 2.5)
        out[t, bands + 1] = min(max((base - floor) * 0.25, 0.0), 2.5)
    state[0], state[1], state[2], state[3] = level, heard, peak, floor
