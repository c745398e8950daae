"""Utterance: what a speech engine said, with exact phone times."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from a2m.segments import Segment


@dataclass(frozen=True, slots=True)
class Utterance:
    samples: np.ndarray
    """float32 [n], -1..1."""
    rate_hz: int
    segments: Sequence[Segment]


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    """Mono float32 samples -1..1 of a 16-bit file and their rate."""
    with wave.open(str(path)) as file:
        raw = file.readframes(file.getnframes())
        return np.frombuffer(raw, "<i2").astype(np.float32) / 32768, file.getframerate()
