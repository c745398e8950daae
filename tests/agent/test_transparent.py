"""`--background transparent`, from a voice to a video that is laid over something else."""

import numpy as np
import pytest
from numba import TypingError
from scipy.io import wavfile

from agent.cli import main
from calibration.portrait import on_background, prepare_portrait, read_photo
from runtime.engines.builtin import BuiltinEngine
from runtime.sinks.codecs import TRANSPARENT_EXTENSIONS
from tests.runtime.test_sinks_video_file_transparent import rgba_of


@pytest.fixture(scope="module")
def portrait(portrait_png):
    return prepare_portrait(read_photo(portrait_png), (128, 128))


@pytest.fixture(scope="module")
def _draws_transparency(portrait):
    try:
        BuiltinEngine().prepare(on_background(portrait, "transparent"))
    except TypingError:  # its kernels do not know that there may be no background
        pytest.skip("the built-in engine draws no transparency yet")


@pytest.mark.usefixtures("_draws_transparency")
@pytest.mark.parametrize("extension", TRANSPARENT_EXTENSIONS)
def test_a_voice_becomes_a_transparent_video(portrait_png, portrait, tmp_path, extension):
    wav, out = tmp_path / "speech.wav", tmp_path / f"talk{extension}"
    wavfile.write(wav, 16_000, np.zeros(8_000, np.int16))
    arguments = ["--portrait", str(portrait_png), "--microphone", str(wav), "--output", str(out), "--size", "128"]
    assert main(["run", *arguments, "--background", "transparent"]) == 0
    pictures = rgba_of(out)
    assert len(pictures) == 12
    x, y = portrait.landmarks[:468, :2].mean(0).astype(int)
    face = np.s_[y - 5 : y + 5, x - 5 : x + 5]
    for image in pictures:
        assert image[:6, :6, 3].max() <= 2  # VP9 loses a little
        assert image[face][..., 3].min() >= 254
    np.testing.assert_allclose(pictures[0][face][..., :3].mean((0, 1)), portrait.image[face].mean((0, 1)), atol=6)
