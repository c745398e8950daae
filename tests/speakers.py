"""Made-up speakers: the bundled speech at several paces, and mouths that follow what the network hears in their own
way."""

from pathlib import Path

import numpy as np
from scipy.io import wavfile

from calibration.mouth_heard import MouthHeard
from models.audio.speech_mouth import HOP, HOP_NS

RATE_HZ = 16_000
PACES = (1.0, 0.9, 1.12, 0.95)


def read_aloud(speech_wav: Path, paces: tuple[float, ...] = PACES) -> np.ndarray:
    """float32 at 16 kHz: the sentence once at every pace."""
    rate_hz, samples = wavfile.read(speech_wav)
    said = samples.astype(np.float64) / 32768
    at = [np.arange(0, len(said) - 1, pace * rate_hz / RATE_HZ) for pace in paces]
    return np.concatenate([np.interp(x, np.arange(len(said)), said) for x in at]).astype(np.float32)


def hear(sound: np.ndarray) -> MouthHeard:
    heard = MouthHeard()
    for k in range(len(sound) // HOP):
        heard.add(sound[k * HOP : (k + 1) * HOP], k * HOP_NS)
    return heard
