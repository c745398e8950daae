"""Sound between stages. Frozen; arrays in it are never written again."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

SPEECH_RATE_HZ = 16_000
"""Sample rate of every `AudioWindow`."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A block of sound as its source gives it: what a listener should hear."""

    samples: Float32[np.ndarray, "n channels"]
    """-1..1."""
    rate_hz: int
    """Samples per second and channel."""
    pts_ns: int
    """Instant of the first sample."""

    @property
    def end_ns(self) -> int:
        """Instant just after the last sample."""
        return self.pts_ns + round(len(self.samples) * 1e9 / self.rate_hz)


@dataclass(frozen=True, slots=True, eq=False)
class AudioWindow:
    """A window of speech for a driver: `SPEECH_RATE_HZ`, mono."""

    samples: Float32[np.ndarray, "n"]
    """-1..1."""
    pts_ns: int
    """Instant of the first sample."""
