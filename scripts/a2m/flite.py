"""Flite: the engine that training never hears."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from a2m.festival import RADIO
from a2m.segments import expand
from a2m.sound import Utterance, read_wav

VOICES = ("awb", "kal16", "slt", "rms")


def say(text: str, voice: str) -> Utterance:
    """Raises FileNotFoundError when flite is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(path)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        samples, rate_hz = read_wav(path)
    names, _, ends = zip(*(item.rpartition(":") for item in printed.split()), strict=True)
    times = np.minimum([0.0, *map(float, ends)], len(samples) / rate_hz)  # kal16 cuts the silence at the end
    spans = zip(times[:-1], times[1:], (RADIO.get(name, name) for name in names), strict=True)
    return Utterance(samples, rate_hz, expand(spans))
