"""What frames hear, live: that of the whole clip, however the sound is cut, and in time."""

from pathlib import Path

import numpy as np
import pytest
from golden.fill import fill_tensors, generator
from safetensors.torch import save_file
from torch import Tensor

from models.audio.hubert import HubertSize
from models.errors import InputError
from models.talk3d.audio_windows import frame_sound
from models.talk3d.silence import blank, heard_silence, silence
from models.talk3d.speech_scores import SpeechScores, load_speech_scores
from models.talk3d.speech_stream import LOOK_AHEAD_NS, SpeechStream, WindowStream

TINY = HubertSize(sound=16, hidden=32, layers=1, heads=4, inner=64, position_kernel=16, position_groups=4)
RATE = 16_000
_SPLIT = "wav2vec2.encoder.pos_conv_embed.conv"


def state(names: tuple[str, str]) -> dict[str, Tensor]:
    """Weights as files have them: `names` of the kernel's size and direction, which are stored apart."""
    shapes = {key: tuple(value.shape) for key, value in SpeechScores(TINY).state_dict().items()}
    kernel = shapes.pop(f"{_SPLIT}.weight")
    shapes |= {f"{_SPLIT}.{names[0]}": (1, 1, kernel[2]), f"{_SPLIT}.{names[1]}": kernel}
    return fill_tensors(shapes)


@pytest.fixture
def network(tmp_path: Path) -> SpeechScores:
    save_file(state(("weight_g", "weight_v")), tmp_path / "model.safetensors")
    return load_speech_scores(tmp_path, TINY)


def test_windows_are_those_of_the_whole_clip_however_they_come() -> None:
    scores = generator("scores").standard_normal((101, 44)).astype(np.float32)
    stream = WindowStream()
    parts = [stream.push(part) for part in np.split(scores, [1, 2, 9, 40, 41, 90])]
    live = np.concatenate(parts)
    assert len(live) == (101 - 14) // 2 + 1
    for number, heard in enumerate(live):
        np.testing.assert_array_equal(heard, frame_sound(scores, number))


def test_frames_are_complete_after_the_declared_time(network: SpeechScores) -> None:
    assert LOOK_AHEAD_NS <= 600_000_000
    sound = (0.05 * generator("sound").standard_normal(RATE)).astype(np.float32)
    samples = round((LOOK_AHEAD_NS + 40_000_000 * 5) * RATE / 1e9)  # frame 5
    stream = SpeechStream(network)
    assert len(stream.push(sound[: samples - 1])) == 5
    assert len(stream.push(sound[samples - 1 : samples])) == 1


def test_what_is_heard_does_not_depend_on_how_the_sound_is_cut(network: SpeechScores) -> None:
    sound = (0.05 * generator("sound").standard_normal(RATE)).astype(np.float32)
    at_once, cut = SpeechStream(network).push(sound), SpeechStream(network)
    parts = np.concatenate([cut.push(part) for part in np.split(sound, [100, 101, 5000])])
    np.testing.assert_allclose(parts, at_once, atol=1e-5)
    later = SpeechStream(network).push(np.concatenate([sound[:-1], [np.float32(1)]]))
    np.testing.assert_array_equal(later[:-1], at_once[:-1])
    assert not np.array_equal(later[-1], at_once[-1])


def test_older_and_newer_names_of_the_same_weights_are_read(tmp_path: Path, network: SpeechScores) -> None:
    today = state(("parametrizations.weight.original0", "parametrizations.weight.original1"))
    save_file(today, tmp_path / "new.safetensors")
    other = load_speech_scores(tmp_path / "new.safetensors", TINY)
    assert other.state_dict().keys() == network.state_dict().keys()
    save_file({name: values for name, values in today.items() if "lm_head" not in name}, tmp_path / "new.safetensors")
    with pytest.raises(InputError, match=r"2 missing \(lm_head"):
        load_speech_scores(tmp_path / "new.safetensors", TINY)


def test_silence_is_what_the_network_hears_of_it(network: SpeechScores, tmp_path: Path, monkeypatch) -> None:
    heard = heard_silence(network)
    live = SpeechStream(network).push(np.zeros(3 * RATE, np.float32))
    assert heard.any() and np.abs(heard - live[-1]).max() < 0.1 * np.abs(heard).max()
    monkeypatch.setattr("models.talk3d.silence.load_speech_scores", lambda path: load_speech_scores(path, TINY))
    np.testing.assert_array_equal(silence(tmp_path), heard)


def test_silence_without_the_network_is_the_blank_of_ctc() -> None:
    likely = np.exp(silence(None)) / np.exp(silence(None)).sum(1, keepdims=True)
    assert blank().shape == (8, 44, 16) and (likely[:, 43] > 0.99).all()
