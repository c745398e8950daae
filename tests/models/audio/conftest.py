"""What the speech networks hear."""

import wave
from pathlib import Path

import numpy as np
import pytest

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def speech(speech_wav: Path) -> np.ndarray:
    """The bundled speech at 16 kHz."""
    with wave.open(str(speech_wav)) as file:
        raw, rate_hz = file.readframes(file.getnframes()), file.getframerate()
    samples = np.frombuffer(raw, "<i2").astype(np.float32) / 32768
    at = np.arange(0, len(samples) - 1, rate_hz / RATE_HZ)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
