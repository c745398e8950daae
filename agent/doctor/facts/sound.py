"""PortAudio, and the sound server: PulseAudio, or PipeWire in its place."""

import re
import shutil
import sys
from dataclasses import dataclass

from models.errors import InputError
from runtime.portaudio import load_portaudio
from runtime.sinks.pulse_modules import pactl

_ECHO = re.compile(r"echo[-_. ]?cancel", re.IGNORECASE)
_FIELD = re.compile(r"^\s*([A-Z][\w ]*): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SoundSource:
    """An input that the server knows."""

    name: str
    """Its server-side name."""
    title: str
    """The name that people see."""
    is_monitor: bool
    """Whether it is what a loudspeaker plays."""
    is_muted: bool
    volume: int | None
    """Per cent; None where it has none."""
    takes_echo_out: bool = False
    """Whether it is a microphone without what the loudspeaker plays."""


@dataclass(frozen=True, slots=True)
class SoundSystem:
    """What sound goes through."""

    has_portaudio: bool
    has_pactl: bool
    server: str
    """As it calls itself; empty where none answers."""
    default: SoundSource | None
    """The default input."""
    others: tuple[SoundSource, ...]
    """All other inputs."""


def look_at_sound() -> SoundSystem:
    """Asks the server, on Linux."""
    has_portaudio = _has_portaudio()
    if sys.platform != "linux" or shutil.which("pactl") is None:
        return SoundSystem(has_portaudio, False, "", None, ())
    try:
        about, listed = dict(_FIELD.findall(pactl("info"))), pactl("list", "sources")
    except InputError:
        return SoundSystem(has_portaudio, True, "", None, ())
    sources = [_source(dict(_FIELD.findall(block))) for block in listed.split("\n\n") if block.strip()]
    wanted = about.get("Default Source", "")
    default = next((source for source in sources if source.name == wanted), None)
    others = tuple(source for source in sources if source is not default)
    return SoundSystem(has_portaudio, True, about.get("Server Name", "a sound server"), default, others)


def _has_portaudio() -> bool:
    try:
        load_portaudio()
    except InputError:
        return False
    return True


def _source(fields: dict[str, str]) -> SoundSource:
    volume = re.search(r"(\d+)%", fields.get("Volume", ""))
    return SoundSource(
        name=fields.get("Name", ""),
        title=fields.get("Description") or fields.get("Name", ""),
        is_monitor=fields.get("Monitor of Sink", "n/a") != "n/a",
        is_muted=fields.get("Mute") == "yes",
        volume=int(volume[1]) if volume else None,
        takes_echo_out=any(_ECHO.search(fields.get(name, "")) for name in ("Driver", "Name", "Description")),
    )
