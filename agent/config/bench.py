"""Settings of `agent bench`."""

from dataclasses import dataclass
from typing import Literal

import tyro


@dataclass(frozen=True)
class Bench:
    """Measure a run from outside.

    agent bench latency     from a synthetic camera to the program that reads the virtual camera, or the page

    A camera of its own films a face with a bar code that changes with every frame. A real run is driven by it, and a
    second process reads the output as any program would and finds the codes again. No pixel of a camera reaches an
    output, so an instrument before the output draws the code of the frame that each picture shows. Then the same
    without codes: the filmed mouth opens and shuts (with --mode audio, a word is said), until the picture shows it.
    """

    what: tyro.conf.Positional[Literal["latency"]]
    """latency: how old the picture is that others see, and where that time goes."""

    mode: Literal["video", "audio"] = "video"
    """video: a face before the camera; audio: a voice at the microphone, with the look-ahead apart."""

    output: str | None = None
    """virtual-camera, virtual-camera:DEVICE, or preview. Default: virtual-camera if there is one, else preview."""

    seconds: float = 20.0
    """How long codes are read, 2 to 600; the run lasts about 15 seconds longer."""

    size: str = "512"
    """Output size, as in `agent run`."""

    fps: int = 25
    """Output pictures per second, as in `agent run`."""

    json: bool = False
    """As JSON, for scripts."""
