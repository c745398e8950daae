"""The loudspeaker, or headphones, of this machine."""

from typing import Any

from models.errors import InputError
from runtime.clock import Clock
from runtime.portaudio import load_portaudio
from runtime.sinks.portaudio_output import PortAudioOutput


class Loudspeaker(PortAudioOutput):
    """Plays what this machine's user is to hear."""

    def __init__(self, wanted: str, clock: Clock) -> None:
        """`wanted`: as in `find_loudspeaker`. Raises InputError: there is none, or it cannot be opened."""
        device = find_loudspeaker(wanted)
        try:
            super().__init__(device, clock)
        except OSError as error:
            raise InputError(f"the loudspeaker {device['name']} cannot be opened: {error}") from error


def find_loudspeaker(wanted: str) -> Any:
    """PortAudio's description of the output of that name, or a part of it; "" is the system's. Raises InputError."""
    sounddevice = load_portaudio()
    outputs = [d for d in sounddevice.query_devices() if d["max_output_channels"] > 0]
    if not wanted:
        try:
            return sounddevice.query_devices(kind="output")
        except (sounddevice.PortAudioError, ValueError):
            raise InputError("there is no loudspeaker") from None
    matching = [d for d in outputs if wanted.casefold() in str(d["name"]).casefold()]
    if not matching:
        found = ", ".join(str(d["name"]) for d in outputs) or "none"
        raise InputError(f"no loudspeaker '{wanted}'; found: {found}")
    return matching[0]
