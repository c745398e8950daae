"""A voice and a face to run on; and no word about how long that takes."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from agent import patience, terminal
from calibration.photo import read_photo
from tests.agent.clips import make_clip, speech


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "speech.wav"
    wavfile.write(path, 16_000, speech(1.0, 16_000))
    return path


@pytest.fixture(scope="module")
def nodding(portrait_png, tmp_path_factory):
    """A second of the bundled portrait swaying to and fro, at 30 frames a second, with sound."""
    photo = read_photo(portrait_png)[:300, 80:380]
    images = [np.roll(photo, round(20 * np.sin(i / 30 * 2 * np.pi)), axis=1) for i in range(30)]
    return make_clip(
        tmp_path_factory.mktemp("clip") / "nodding.mp4", images, 30, samples=speech(1.0, 48_000, dtype=np.float32)
    )


@pytest.fixture(autouse=True)
def no_lines_for_the_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of long work does not come between the lines that a test counts, however busy the machine is."""
    monkeypatch.setattr(patience, "_SAY_EVERY_S", 1e9)
    monkeypatch.setattr(terminal, "_SAY_EVERY_NS", 10**18)


@pytest.fixture
def quiet_wav(tmp_path: Path) -> Path:
    path = tmp_path / "quiet.wav"
    wavfile.write(path, 16_000, np.zeros(16_000 * 60, np.int16))
    return path
