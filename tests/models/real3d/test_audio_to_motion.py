"""The audio-to-motion network against numbers that the released code gave with the same weights and inputs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.fill import fill_tensors, generator
from torch.nn import functional

from models.audio.pitch import coarse
from models.real3d.audio_to_motion import AudioToMotion, eyes_folded
from models.real3d.wave_net import WeightNormConv1d, fold_weight_norm

HERE = Path(__file__).parent


def speech_inputs() -> dict[str, np.ndarray]:
    """Inputs of the audio-to-motion network's golden numbers: 32 frames of sound, 16 of motion."""
    hubert = (0.3 * generator("input:hubert").standard_normal((1, 32, 1024))).astype(np.float32)
    f0 = generator("input:f0").uniform(80, 300, (1, 32))
    f0[:, 5:11] = 0
    noise = generator("input:z_noise").standard_normal((1, 16, 4)).astype(np.float32)
    return {"hubert": hubert, "f0": f0.astype(np.float32), "noise": noise}


@pytest.fixture(scope="module")
def network() -> AudioToMotion:
    network = AudioToMotion().eval()
    network.load_state_dict(fill_tensors(json.loads((HERE / "audio2secc_vae.json").read_text())))
    return network


def spoken(network: AudioToMotion, blink: slice = slice(0)) -> np.ndarray:
    given = speech_inputs()
    blinks = torch.zeros(1, 32, dtype=torch.int64)
    blinks[:, blink] = 1
    with torch.inference_mode():
        return network(
            torch.from_numpy(given["hubert"]),
            torch.from_numpy(coarse(given["f0"][0])[None]),
            blinks,
            torch.tensor([[0.45]]),
            0.2 * torch.from_numpy(given["noise"]),
        ).numpy()


def assert_golden(expression: np.ndarray, name: str) -> None:
    golden = np.load(HERE / "golden_audio2secc_vae.npz")[f"{name}/sub"]
    assert expression.shape == golden.shape
    assert np.linalg.norm(expression - golden) < 5e-6 * np.linalg.norm(golden)


def test_every_key_of_the_released_checkpoint_is_there_and_no_other() -> None:
    shapes = {key: list(value.shape) for key, value in AudioToMotion().state_dict().items()}
    assert shapes == json.loads((HERE / "audio2secc_vae.json").read_text())


def test_expression_is_the_released_networks(network: AudioToMotion) -> None:
    assert_golden(spoken(network), "a2m.exp")


def test_blinks_are_heard(network: AudioToMotion) -> None:
    assert_golden(spoken(network, slice(12, 20)), "a2m_blink.exp")


def test_folding_changes_no_number() -> None:
    network = AudioToMotion().eval()
    network.load_state_dict(fill_tensors(json.loads((HERE / "audio2secc_vae.json").read_text())))
    fold_weight_norm(network)
    assert not any(isinstance(module, WeightNormConv1d) for module in network.modules())
    assert_golden(spoken(network), "a2m.exp")


def test_an_input_for_the_eyes_is_folded_into_a_bias(network: AudioToMotion) -> None:
    released = network.state_dict()
    eyes, of_eyes = torch.randn(128), torch.randn(128, 128) / 12
    trained = released | {"eye_amp_embed": eyes}
    trained["cond_proj.weight"] = torch.cat([released["cond_proj.weight"], of_eyes], 1)
    folded = eyes_folded(trained)
    assert {name: value.shape for name, value in folded.items()} == {n: v.shape for n, v in released.items()}
    heard = torch.randn(3, 512)
    want = functional.linear(
        torch.cat([heard, eyes.expand(3, 128)], 1), trained["cond_proj.weight"], released["cond_proj.bias"]
    )
    got = functional.linear(heard, folded["cond_proj.weight"], folded["cond_proj.bias"])
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)
    for other in (released, trained | {"eye_amp_embed": torch.ones(7)}, trained | {"cond_proj.weight": "none"}):
        assert eyes_folded(other) == dict(other)
