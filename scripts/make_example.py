"""Writes the bundled example: agent/example/portrait.png and speech.wav. Needs scikit-image and espeak-ng."""

import io
import subprocess
import wave
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut

EXAMPLE = Path(__file__).parent.parent / "agent" / "example"
SENTENCES = (
    "Hello! I am a picture that may move.",
    "My lips close for papa and mama, then open wide: ah, oh.",
)
VOICE = ("-v", "en-us+f3", "-s", "155", "-p", "42", "-a", "120")
PAUSE_S = 0.7
EDGE_S = 0.25  # silence before and after
PEAK = 10 ** (-3 / 20)  # -3 dBFS
QUIET = 0.01  # of full scale: edges below it are cut


def main() -> None:
    Image.fromarray(astronaut()).save(EXAMPLE / "portrait.png", optimize=True)
    spoken = [speech(sentence) for sentence in SENTENCES]
    rate_hz = spoken[0][1]
    edge, pause = (np.zeros(round(s * rate_hz), np.float32) for s in (EDGE_S, PAUSE_S))
    samples = np.concatenate([edge, spoken[0][0], pause, spoken[1][0], edge])
    samples *= PEAK / np.abs(samples).max()
    with wave.open(str(EXAMPLE / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())


def speech(sentence: str) -> tuple[np.ndarray, int]:
    """What espeak-ng says, float32 -1..1 without silent edges, and its rate."""
    spoken = subprocess.run(["espeak-ng", *VOICE, "--stdout", sentence], check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(spoken)) as file:
        raw = file.readframes(file.getnframes())
        rate_hz = file.getframerate()
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    return samples[loud[0] : loud[-1] + 1], rate_hz


if __name__ == "__main__":
    main()
