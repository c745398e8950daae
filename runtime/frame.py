"""The values that pass between stages. All are frozen; arrays in them are never written again."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from models.motion import Motion
from models.portrait import Pixels
from runtime.trail import Trail

SPEECH_RATE_HZ = 16_000
"""Sample rate of every `AudioWindow`."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from a camera or a clip."""

    image: UInt8[np.ndarray, "h w 3"]
    """RGB."""
    pts_ns: int
    """Instant of capture."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What an engine drew, on its way to the sinks."""

    image: Pixels
    """RGB, or RGBA where the portrait has no background."""
    motion: Motion
    """The motion it shows; `motion.pts_ns` is the instant of capture."""
    due_ns: int
    """The instant at which the picture is to be shown, on the same clock."""
    trail: Trail | None = None
    """How it came about; None offline, and where no driver moved it: it has no age then."""
