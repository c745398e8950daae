"""Settings of `agent calibrate`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Calibrate:
    """Learn the neutral face and the ranges of the person who drives, for `agent run --profile`.

    With a camera, a page on this machine says what to do. With a video file, everything in it is learnt from.

    agent calibrate                     the first camera, guided

    agent calibrate --camera clip.mp4   a recording: rest, blinks, smile, open mouth, a turn of the head

    agent calibrate --speech            20 s of reading aloud: how your mouth goes with your voice
    """

    camera: str | None = None
    """Camera by index or name (see `agent devices`), or a video file. Default: the first."""

    speech: bool = False
    """Learn how this mouth goes with this voice, for --mode audio and both. Added to the profile where --output is one
    (of the same face); else the face is learnt from the same recording. Refused, with the profile left as it is, if it
    brings nothing on the last third of the speech."""

    microphone: str | None = None
    """With --speech: microphone by name, or a sound file that goes with the video file. Default: the system's
    microphone, or the video file's own sound."""

    output: Path = Path("me.profile.json")
    """The profile to write."""

    name: str = ""
    """Whose it is, for messages. Default: the name of the output."""

    fov: float | None = None
    """Horizontal field of view of the camera in degrees, where you know it; else that of a usual webcam is noted."""

    realtime: bool = False
    """Guide through a file too, played at its own speed, as if it were a camera."""
