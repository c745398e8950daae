"""HuBERT: the same numbers as transformers', files of every kind, and listening live."""

from pathlib import Path

import numpy as np
import pytest
import torch
from golden.fill import fill_tensors, generator
from safetensors.torch import save_file
from torch import Tensor

from models.audio.hubert import HOP, SPAN, Hubert, HubertSize
from models.audio.hubert_file import load_hubert
from models.audio.hubert_stream import HubertStream, RunningNormaliser
from models.errors import InputError

TINY = HubertSize(sound=16, hidden=32, layers=2, heads=4, inner=64, position_kernel=16, position_groups=4)
POSITION = "encoder.pos_conv_embed.conv"

# transformers 5.23, HubertModel of this size (stable layer norm, normalised convolutions with bias), filled by
# `fill_tensors` and given `sound()`: last_hidden_state[0, ::4, ::6].
GOLDEN = [
    [-0.31106, 1.22012, -1.09068, 0.72772, 0.94672, -0.18892],
    [-0.22559, 0.82191, -1.07330, 0.33465, 0.87743, -0.18900],
    [-0.33844, 0.92369, -1.09439, 0.95669, 0.81961, 0.53153],
]

State = dict[str, Tensor]

pytestmark = pytest.mark.usefixtures("one_thread")


def sound() -> Tensor:
    return torch.from_numpy(generator("sound").standard_normal((1, 4000)).astype(np.float32))


@pytest.fixture
def state() -> State:
    """A tiny model as files have it."""
    shapes = {key: tuple(value.shape) for key, value in Hubert(TINY).state_dict().items()}
    shapes[f"{POSITION}.weight_v"] = shapes.pop(f"{POSITION}.weight")
    shapes[f"{POSITION}.weight_g"] = (1, 1, TINY.position_kernel)
    return fill_tensors(shapes)


def saved(path: Path, state: State) -> Path:
    if path.suffix == ".bin":
        torch.save(state, path)
    else:
        save_file(state, path)
    return path


def assert_golden(hubert: Hubert) -> None:
    with torch.inference_mode():
        np.testing.assert_allclose(hubert(sound())[0, ::4, ::6], GOLDEN, atol=2e-5)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_features_are_those_of_transformers(tmp_path: Path, state: State, name: str) -> None:
    assert_golden(load_hubert(saved(tmp_path / name, state), TINY))


def test_the_names_of_newer_files_and_of_models_with_a_head_are_understood(tmp_path: Path, state: State) -> None:
    parametrized = f"{POSITION}.parametrizations.weight.original"
    state[f"{parametrized}0"] = state.pop(f"{POSITION}.weight_g")
    state[f"{parametrized}1"] = state.pop(f"{POSITION}.weight_v")
    state = {f"hubert.{key}": value for key, value in state.items()} | {"lm_head.bias": torch.zeros(3)}
    saved(tmp_path / "pytorch_model.bin", state)
    assert_golden(load_hubert(tmp_path, TINY))


def test_half_precision_is_widened(tmp_path: Path, state: State) -> None:
    halves = {key: value.half() for key, value in state.items()}
    hubert = load_hubert(saved(tmp_path / "model.safetensors", halves), TINY)
    assert {value.dtype for value in hubert.state_dict().values()} == {torch.float32}


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_hubert(path, TINY)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_every_wrong_entry_is_told(tmp_path: Path, state: State) -> None:
    del state["encoder.layer_norm.bias"], state[f"{POSITION}.weight_g"]
    state["feature_projection.projection.weight"] = torch.zeros(32, 15)
    message = refusal(saved(tmp_path / "x.bin", state))
    assert f"2 missing (encoder.layer_norm.bias, {POSITION}.weight_g)" in message
    assert "1 of another shape (feature_projection.projection.weight: [32, 15], not [32, 16])" in message


def test_numbers_that_are_none_are_refused(tmp_path: Path, state: State) -> None:
    state["encoder.layer_norm.bias"][3] = torch.nan
    assert "1 not finite (encoder.layer_norm.bias)" in refusal(saved(tmp_path / "x.bin", state))


def test_a_smaller_model_is_refused_in_one_line(tmp_path: Path, state: State) -> None:
    with pytest.raises(InputError, match=r"is not HuBERT-large: .* and \d+ more\); bring") as caught:
        load_hubert(saved(tmp_path / "x.bin", state))
    assert len(str(caught.value)) < 1000


class Planted:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("executed",)


def test_other_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such file" in refusal(tmp_path / "missing.bin")
    assert "no model.safetensors or pytorch_model.bin in" in refusal(tmp_path)
    for name in ("model.safetensors", "pytorch_model.bin"):
        path = tmp_path / name
        path.write_bytes(b"something else" * 9)
        assert "or damaged" in refusal(path)
    torch.save([1, 2], tmp_path / "pytorch_model.bin")
    assert "other things than weights" in refusal(tmp_path / "pytorch_model.bin")
    torch.save({"x": Planted()}, tmp_path / "pytorch_model.bin")
    refusal(tmp_path / "pytorch_model.bin")
    assert "executed" not in capsys.readouterr().out


@pytest.fixture
def hubert(tmp_path: Path, state: State) -> Hubert:
    return load_hubert(saved(tmp_path / "model.safetensors", state), TINY)


def speech(seconds: float) -> np.ndarray:
    return 0.05 * np.random.default_rng(5).standard_normal(round(16_000 * seconds)).astype(np.float32)


def test_live_features_do_not_depend_on_how_the_sound_is_cut(hubert: Hubert) -> None:
    samples = speech(0.5)
    whole = HubertStream(hubert, before=10).push(samples)
    for size in (97, 5000):
        cut = HubertStream(hubert, before=10)
        parts = [cut.push(samples[at : at + size]) for at in range(0, len(samples), size)]
        torch.testing.assert_close(torch.cat(parts), whole, atol=0, rtol=0)


def test_a_live_frame_is_that_of_its_window(hubert: Hubert) -> None:
    samples = speech(1.0)
    live = HubertStream(hubert, hop=2, before=20, ahead=4).push(samples)
    normaliser = RunningNormaliser()
    normal = np.concatenate([normaliser.push(samples[at : at + HOP]) for at in range(0, len(samples), HOP)])
    for frame, first in ((0, 0), (10, 0), (30, 9)):  # the hop is this frame and the one before it
        window = torch.from_numpy(normal[HOP * first : HOP * (frame + 4) + SPAN])[None]
        with torch.inference_mode():
            expected = hubert(window)[0, frame - first]
        torch.testing.assert_close(live[frame], expected, atol=1e-5, rtol=1e-5)


def test_a_live_frame_is_complete_as_soon_as_said(hubert: Hubert) -> None:
    needed = HOP * (8 + 4 + 2)
    assert len(HubertStream(hubert).push(speech(1.0)[: needed - 1])) == 7
    assert len(HubertStream(hubert).push(speech(1.0)[:needed])) == 9


def test_level_and_offset_are_taken_off_with_time() -> None:
    sound = 0.3 * np.random.default_rng(2).standard_normal(60 * 16_000).astype(np.float32) + 0.1
    normaliser = RunningNormaliser()
    late = [normaliser.push(sound[at : at + HOP]) for at in range(0, len(sound), HOP)][-500:]
    assert np.mean(late) == pytest.approx(0, abs=0.05)
    assert np.std(late) == pytest.approx(1, abs=0.05)


def test_silence_stays_finite(hubert: Hubert) -> None:
    assert HubertStream(hubert, before=10).push(np.zeros(16_000, np.float32)).isfinite().all()
