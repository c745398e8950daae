"""PortAudio, which may be missing where its wheel does not carry it."""

import sys
from contextlib import suppress
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


def renew_devices(sounddevice: Any) -> None:
    """Lets PortAudio look for devices anew: it lists those that were there when it began. No stream may be open.

    Nothing happens but on Linux: elsewhere a virtual microphone may be playing through it. Raises PortAudioError.
    """
    if sys.platform == "linux":
        with suppress(sounddevice.PortAudioError):  # it did not begin the last time
            sounddevice._terminate()
        sounddevice._initialize()
