"""A clip's sound, as SyncNet is to hear it."""

from contextlib import closing
from pathlib import Path

import numpy as np
from jaxtyping import Int16

from runtime.resample import SpeechWindows
from runtime.sources.media import ClipSound


def voice(clip: Path) -> Int16[np.ndarray, "n"]:
    """16 kHz mono, from the clip's first picture or sample on. Raises InputError: it has no sound."""
    windows = SpeechWindows()
    with closing(ClipSound(clip)) as source:
        parts = [window.samples for sound in source for window in windows.push(sound)]
    parts += [window.samples for window in windows.flush()]
    return np.round(np.clip(np.concatenate(parts), -1, 1) * 32767).astype(np.int16)
