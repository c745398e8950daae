"""Flite: the engine that training never hears."""

import subprocess
import tempfile
from pathlib import Path

from a2m.festival import _RADIO
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
    spans, start = [], 0.0
    for item in printed.split():
        name, _, end = item.rpartition(":")
        spans.append((start, float(end), _RADIO.get(name, name)))
        start = float(end)
    return Utterance(samples, rate_hz, expand(spans))
