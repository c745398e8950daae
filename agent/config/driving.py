"""Settings of what moves a face, of every command that has one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Driving:
    """What moves a face."""

    portrait: Path
    """Photo with one face that is large and looks this way (JPEG, PNG, WebP, ...)."""

    mode: Literal["audio", "video", "both"] = "audio"
    """What moves the face: audio (the voice), video (a face in front of the camera), or both: the camera, and the voice
    takes the mouth where the camera cannot see it (hidden, dark, beyond the picture's edge, no face at all)."""

    microphone: str | None = None
    """Microphone by name (see `agent devices`), or a sound or video file played as one. Default: the system's."""

    camera: str | None = None
    """Camera by index or name (see `agent devices`), or a video file played as one. Default: the first."""

    look_ahead: Literal[0, 40, 80, 120] = 80
    """Milliseconds of sound that the mouth waits for: less is sooner, more is truer. Papers' own speech networks
    always wait: real3d's for 240, talk3d's for 520."""

    mouth_amplitude: float = 1.0
    """How far the mouth moves with the voice, 0 to 1.5; with real3d's own speech network in multiples of its usual
    0.45."""

    temperature: float = 0.0
    """How differently the mouth says the same sounds, 0 to 1.5: at 0 always alike, the mean; at 1 as people vary (jaw,
    lips and corners by a fifth, slowly, and from sound to sound). Closed lips stay closed. --seed chooses the way.
    With real3d's own speech network it is the network's, usually 0.2."""

    liveliness: float = 1.0
    """How much head, gaze and brows move by themselves and with the voice, 0 to 2; breathing stays."""

    blinks: float = 1.0
    """How often the eyes blink where no camera moves them, 0 (never) to 3 times as often as people do."""

    seed: int = 0
    """Seed of blinks, gaze, small head movements, and of how the mouth varies (--temperature)."""

    profile: Path | None = None
    """What `agent calibrate` learnt of the person in front of the camera: neutral face and ranges, and with --speech
    how the mouth goes with the voice (which alone counts in --mode audio). Somebody else's face is refused."""

    motion: Literal["relative", "absolute"] = "relative"
    """Where the head counts from: relative, how it is held at the start; absolute, the profile's rest pose, or looking
    straight into the camera without one (expressions then count from the mean face's)."""
