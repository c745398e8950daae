"""The microphone: opened and heard as a run does."""

import threading
from dataclasses import dataclass

import numpy as np

from agent.inputs import open_microphone
from models.errors import AgentError
from runtime.clock import MonotonicClock

_HEARD_S = 2.0


@dataclass(frozen=True, slots=True)
class MicrophoneTrial:
    """What a microphone gave in two seconds."""

    name: str
    refusal: str = ""
    """Why it could not be used, in the run's words; empty if it could."""
    rate_hz: int = 0
    heard_s: float = 0.0
    """Duration of the sound that came."""
    peak: float = 0.0
    """Of all samples, 0..1."""


def try_microphone(wanted: str) -> MicrophoneTrial:
    """`wanted` as in `--microphone`; "" is the default one."""
    try:
        microphone = open_microphone(wanted, MonotonicClock())
    except AgentError as error:
        return MicrophoneTrial(wanted, refusal=str(error))
    name = str(getattr(microphone, "name", wanted))
    timer = threading.Timer(_HEARD_S, microphone.close)
    timer.start()
    rate_hz, heard_s, peak = 0, 0.0, 0.0
    try:
        for sound in microphone:
            rate_hz = sound.rate_hz
            heard_s += len(sound.samples) / rate_hz
            peak = max(peak, float(np.abs(sound.samples).max(initial=0.0)))
    except AgentError as error:
        return MicrophoneTrial(name, refusal=str(error))
    finally:
        timer.cancel()
        microphone.close()
    return MicrophoneTrial(name, "", rate_hz, heard_s, peak)
