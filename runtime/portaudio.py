"""PortAudio, which may be missing where its wheel does not carry it."""

from typing import Any

from models.errors import InputError


def load_portaudio() -> Any:
    """The module `sounddevice`. Raises InputError with the remedy if the library under it is missing."""
    try:
        import sounddevice
    except OSError as error:
        raise InputError(
            "PortAudio is not installed: apt-get install libportaudio2 (macOS: brew install portaudio)"
        ) from error
    return sounddevice
