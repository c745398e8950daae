"""Settings of `agent doctor` and `agent devices`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from agent.config.run import Run

BUNDLED_PORTRAIT = Path(__file__).parents[1] / "example" / "portrait.png"


@dataclass(frozen=True)
class Devices:
    """List cameras, microphones and virtual cameras, by the names that `agent run` takes."""


@dataclass(frozen=True)
class Doctor(Run):
    """Look at everything that `agent run` would use here, try it, and say what to do about what is wrong.

    Give the options of the run in question. Inputs are opened for two seconds, the engine draws for one, and each
    output is fed with a test pattern or a tone and read back as another program would. Camera pictures are only
    measured: brightness, contrast, rate. Exit code 0 if the run would work, 1 if it would fail.

    agent doctor                                       a plain `agent run`: microphone, virtual camera or preview

    agent doctor --mode video --portrait me.png        webcam and photo, too

    agent doctor --output virtual-camera --json        for scripts: {"would_fail", "findings": [{"id", "severity",
    "what", "remedy"}]}
    """

    portrait: Annotated[Path, tyro.conf.arg(help_behavior_hint="(default: the bundled one)")] = BUNDLED_PORTRAIT
    """The photo of the run."""

    json: bool = False
    """As JSON, for scripts."""
