"""A loopback device that a virtual microphone's sound is played into, where none can be made."""

import re

from models.errors import InputError
from runtime.clock import Clock
from runtime.portaudio import load_portaudio
from runtime.sinks.portaudio_output import PortAudioOutput

_END = re.compile(r"\b(?:in|out)put\b")
_CUT_NAME = 31  # Windows' oldest interface shows no more letters of a name


class LoopbackOutput(PortAudioOutput):
    """A sound output that loops back as an input, such as BlackHole or VB-CABLE, through PortAudio."""

    def __init__(self, wanted: str, clock: Clock, microphone: str | None = None) -> None:
        """`wanted`: name of an output, or a part of it; `microphone`: name of the input that the agent listens to.

        Raises InputError: no such output, it cannot be opened, or the agent would hear itself.
        """
        outputs = [d for d in load_portaudio().query_devices() if d["max_output_channels"] > 0]
        matching = [d for d in outputs if wanted and wanted.casefold() in str(d["name"]).casefold()]
        if not matching:
            found = ", ".join(str(d["name"]) for d in outputs) or "none"
            raise InputError(
                f"no loopback output '{wanted}'; found: {found}. Install BlackHole (macOS) or VB-CABLE (Windows) and "
                "name it: --output virtual-microphone:NAME"
            )
        label = str(matching[0]["name"])
        if microphone is not None and _are_one_device(microphone, label):
            raise InputError(
                f"the agent would hear itself: its microphone {microphone} is the other end of its output "
                f"{label}; name the real microphone with --microphone"
            )
        try:
            super().__init__(matching[0], clock)
        except OSError as error:
            raise InputError(f"the loopback output {label} cannot be opened: {error}") from error


def _are_one_device(one: str, other: str) -> bool:
    """Whether an input and an output are the ends of one loopback device, as "CABLE Output" and "CABLE Input" are."""
    rests = sorted((" ".join(_END.sub(" ", name.casefold()).split()) for name in (one, other)), key=len)
    is_cut = min(len(one), len(other)) >= _CUT_NAME
    return rests[0] == rests[1] or (is_cut and rests[1].startswith(rests[0]))
