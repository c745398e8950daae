"""The clips of the comparisons' tests."""

from pathlib import Path

import pytest
from scipy.io import wavfile

from agent.cli import main
from tests.agent.conftest import nodding

__all__ = ["nodding"]

_SPOKEN_S = 2.0


@pytest.fixture(scope="package")
def speaking(tmp_path_factory: pytest.TempPathFactory, portrait_png: Path, speech_wav: Path) -> Path:
    """The bundled portrait says the beginning of the bundled speech, drawn by the built-in engine."""
    folder = tmp_path_factory.mktemp("speaking")
    rate_hz, samples = wavfile.read(speech_wav)
    wavfile.write(folder / "said.wav", rate_hz, samples[: round(_SPOKEN_S * rate_hz)])
    run = ["run", "--portrait", portrait_png, "--microphone", folder / "said.wav", "--framing", "head"]
    assert main([*map(str, run), "--size", "256", "--liveliness", "2", "--output", str(folder / "me.mp4")]) == 0
    return folder / "me.mp4"
