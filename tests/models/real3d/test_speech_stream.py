"""Expressions live: the same however the sound is cut, near to those of the whole clip, and in time."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.fill import fill_tensors, generator
from torch import Tensor

from models.audio.hubert import Hubert, HubertSize
from models.audio.pitch import coarse
from models.real3d.audio_to_motion import FEATURES, AudioToMotion, load_audio_to_motion
from models.real3d.speech_stream import LOOK_AHEAD_NS, Delivery, MotionStream, SpeechStream, step_noise

HERE = Path(__file__).parent
FRAMES = 320
"""Of 50 per second: enough for the stream to forget what it does not need."""

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network() -> AudioToMotion:
    return load_audio_to_motion(fill_tensors(json.loads((HERE / "audio2secc_vae.json").read_text())))


@pytest.fixture(scope="module")
def features() -> Tensor:
    return torch.from_numpy((0.3 * generator("heard").standard_normal((FRAMES, FEATURES))).astype(np.float32))


@pytest.fixture(scope="module")
def f0() -> np.ndarray:
    hz = generator("sung").uniform(80, 300, FRAMES).astype(np.float32)
    hz[40:60] = 0
    return hz


def whole(network: AudioToMotion, features: Tensor, f0: np.ndarray, delivery: Delivery) -> np.ndarray:
    noise = delivery.temperature * step_noise(delivery.seed, 0, len(f0) // 8)
    pitch = torch.from_numpy(coarse(f0)[None])
    with torch.inference_mode():
        amp = torch.tensor([[delivery.mouth_amp]])
        return network(features[None], pitch, torch.zeros_like(pitch), amp, noise[None])[0].numpy()


def test_motion_does_not_depend_on_how_the_sound_is_cut(
    network: AudioToMotion, features: Tensor, f0: np.ndarray
) -> None:
    at_once = MotionStream(network).push(features, f0)
    assert len(at_once) == FRAMES // 2 - 3
    for size in (7, 64):
        cut = MotionStream(network)
        cuts = range(0, FRAMES, size)
        parts = np.concatenate([cut.push(features[at : at + size], f0[at : at + size]) for at in cuts])
        np.testing.assert_allclose(parts, at_once, atol=1e-5)


def test_with_all_of_the_future_it_is_the_whole_clips_motion(
    network: AudioToMotion, features: Tensor, f0: np.ndarray
) -> None:
    delivery = Delivery(seed=4, mouth_amp=0.7, temperature=0.5)
    live = MotionStream(network, delivery, ahead=76).push(features, f0)
    expected = whole(network, features, f0, delivery)[: len(live)]
    assert len(live) == 84
    np.testing.assert_allclose(live, expected, atol=1e-5)


def test_the_past_is_kept_as_far_as_it_is_heard(network: AudioToMotion, features: Tensor, f0: np.ndarray) -> None:
    late = features.clone()
    late[:100] = 0
    before, after = (MotionStream(network).push(heard, f0) for heard in (features, late))
    assert np.abs(before[60] - after[60]).max() > 1e-4  # ten frames after the last that differs
    np.testing.assert_array_equal(before[50 + 80 :], after[50 + 80 :])


def test_a_short_look_ahead_comes_near_to_the_whole_clip(
    network: AudioToMotion, features: Tensor, f0: np.ndarray
) -> None:
    live = MotionStream(network).push(features, f0)[10:120]
    expected = whole(network, features, f0, Delivery())[10:120]
    likeness = [np.corrcoef(a, b)[0, 1] for a, b in zip(live.T, expected.T, strict=True)]
    assert np.mean(likeness) > 0.95


def test_the_future_beyond_the_look_ahead_is_not_heard(
    network: AudioToMotion, features: Tensor, f0: np.ndarray
) -> None:
    other = features.clone()
    other[102:] = 0
    live, changed = (MotionStream(network, ahead=2).push(heard, f0)[:60] for heard in (features, other))
    np.testing.assert_array_equal(live[:49], changed[:49])
    assert np.abs(live[49:] - changed[49:]).max() > 1e-3


def test_mouth_temperature_and_seed_are_obeyed(network: AudioToMotion, features: Tensor, f0: np.ndarray) -> None:
    def acted(delivery: Delivery) -> np.ndarray:
        return MotionStream(network, delivery).push(features[:40], f0[:40])

    plain = acted(Delivery())
    np.testing.assert_array_equal(acted(Delivery()), plain)
    for other in (Delivery(seed=1), Delivery(mouth_amp=0.9), Delivery(temperature=0.6)):
        assert np.abs(acted(other) - plain).max() > 0.01
    np.testing.assert_array_equal(acted(Delivery(temperature=0, seed=1)), acted(Delivery(temperature=0)))


def test_noise_belongs_to_its_step() -> None:
    long = step_noise(3, 0, 400)
    torch.testing.assert_close(step_noise(3, 120, 130), long[:, 120:130], atol=0, rtol=0)
    assert abs(float(long.mean())) < 0.05
    assert abs(float(long.std()) - 1) < 0.05


def test_sound_becomes_motion_in_240_ms(network: AudioToMotion) -> None:
    torch.manual_seed(0)
    small = HubertSize(sound=16, hidden=FEATURES, layers=1, heads=4, inner=64, position_kernel=16)
    hubert = Hubert(small).eval()
    samples = (0.1 * generator("samples").standard_normal(16_000)).astype(np.float32)
    at_once = SpeechStream(hubert, network).push(samples)
    needed = LOOK_AHEAD_NS * 16_000 // 10**9
    assert len(at_once) == 1 + (16_000 - needed) // 640
    cut = SpeechStream(hubert, network)
    parts = [cut.push(samples[at : at + 640]) for at in range(0, len(samples), 640)]
    np.testing.assert_allclose(np.concatenate(parts), at_once, atol=1e-5)
    assert [len(part) for part in parts[:8]] == [0, 0, 0, 0, 0, 1, 1, 1]
