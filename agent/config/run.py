"""Settings of `agent run` and `agent demo`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.config.driving import Driving
from agent.config.engines import BackendName, EngineName
from agent.config.showing import Showing


@dataclass(frozen=True)
class Run(Showing, Driving):
    """Bring a portrait to life: from a microphone, a camera, or files that act as them.

    Files in and only files out are rendered offline: every frame, none dropped, the same result each time. Anything
    else runs live. Ctrl-C ends a run cleanly and keeps what was written.

    Microphone to virtual camera or preview:  agent run --portrait me.png

    Webcam to virtual camera or preview:  agent run --portrait me.png --mode video

    A recording becomes a video:  agent run --portrait me.png --microphone speech.wav --output talk.mp4

    A clip drives the portrait:  agent run --portrait me.png --mode video --camera clip.mp4 --output a.mp4
    """

    engine: EngineName = "builtin"
    """builtin: drawn on the CPU, no download; small: a small self-trained model that comes with the agent, softer than
    builtin, to try and compare (needs the `neural` extra); real3d: Real3D-Portrait's networks, whose weights you bring
    in (`agent models list`), for a GPU; with its audio-to-motion model and HuBERT they move the mouth with the voice,
    too (live on a GPU only; into files anywhere); goha: GOHA's, the same way; talk3d: Talk3D's, of the one person whom
    they learnt, whatever the photo; the voice moves them. What real3d, goha and talk3d need is for non-commercial use
    alone."""

    person: str = ""
    """With talk3d: who is drawn, as `agent personalise --name` called them. Default: whose weights were brought in."""

    backend: BackendName = "auto"
    """What runs the networks of an engine that has some: torch (any machine; the reference), cudagraph (NVIDIA GPUs),
    onnx (ONNX Runtime), tensorrt (after `agent models build`), or auto: on a GPU the fastest that draws the same, else
    torch."""

    realtime: bool = False
    """Play files at their own speed, as devices would, even when everything is a file."""

    offline: bool = False
    """Insist on rendering every frame; only with files in and files out."""

    mouth: Literal["painted", "driver"] = "painted"
    """painted: no pixel of the camera's pictures leaves; driver, in --mode video and both: the avatar shows your own
    teeth and tongue, so the pixels between your lips leave, and nothing else of your picture."""


@dataclass(frozen=True)
class Demo:
    """Render the bundled example: an astronaut's portrait speaks. Needs no device; writes a video, prints where."""

    output: Path = field(default=Path("out/demo.mp4"))
    """The video to write; its folder is made."""
