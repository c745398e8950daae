"""Natural variation of the heard mouth, live: the committed networks on the bundled speech."""

import numpy as np
import pytest

from models.audio.curves import INDEX, MouthFrame
from models.audio.speech_mouth import SpeechToMouth, open_network
from models.audio.variation import WEIGHTS, MouthVariation

RATE_HZ = 16_000
OUTPUTS = 34  # of the speech network, per look-ahead


@pytest.fixture(scope="module")
def mean(speech: np.ndarray) -> list[MouthFrame]:
    return SpeechToMouth().push(speech)


def curves(frames: list[MouthFrame]) -> np.ndarray:
    return np.stack([frame.curves for frame in frames])


def said(speech: np.ndarray, temperature: float, seed: int = 0) -> np.ndarray:
    return curves(SpeechToMouth(temperature=temperature, seed=seed).push(speech))


def test_without_temperature_the_mouth_is_the_mean(speech: np.ndarray, mean: list[MouthFrame]) -> None:
    np.testing.assert_array_equal(said(speech, 0.0, seed=5), curves(mean))


def test_variation_goes_to_nothing_with_the_temperature(speech: np.ndarray, mean: list[MouthFrame]) -> None:
    np.testing.assert_allclose(said(speech, 1e-6), curves(mean), atol=1e-5)


def test_another_seed_speaks_otherwise_and_the_same_seed_alike(speech: np.ndarray) -> None:
    first = said(speech, 1.0, seed=1)
    np.testing.assert_array_equal(said(speech, 1.0, seed=1), first)
    assert np.abs(said(speech, 1.0, seed=2) - first).max() > 0.05


def test_the_cut_into_chunks_does_not_show(speech: np.ndarray) -> None:
    ends = np.cumsum(np.random.default_rng(0).integers(1, 4001, 400))
    mouth = SpeechToMouth(temperature=1.0, seed=3)
    parts = [frame for part in np.split(speech, ends[ends < len(speech)]) for frame in mouth.push(part)]
    np.testing.assert_array_equal(curves(parts), said(speech, 1.0, seed=3))


def test_reset_begins_the_same_variation_anew(speech: np.ndarray) -> None:
    mouth = SpeechToMouth(temperature=1.0)
    first = curves(mouth.push(speech[:RATE_HZ]))
    mouth.reset()
    np.testing.assert_array_equal(curves(mouth.push(speech[:RATE_HZ])), first)


def test_noise_goes_on_after_a_restart_and_begins_anew_after_a_reset() -> None:
    variation = MouthVariation(open_network(WEIGHTS), 1.0, 0)
    answer = np.full(OUTPUTS, 0.3, np.float32)
    first = np.stack([variation.factors(answer) for _ in range(50)])
    variation.restart()
    assert np.abs(np.stack([variation.factors(answer) for _ in range(50)]) - first).max() > 0.05
    variation.reset()
    np.testing.assert_array_equal(np.stack([variation.factors(answer) for _ in range(50)]), first)


def test_the_opening_varies_by_about_a_fifth(speech: np.ndarray, mean: list[MouthFrame]) -> None:
    gap = curves(mean)[:, INDEX["lipGap"]]
    drawn = np.stack([said(speech, 1.0, seed)[:, INDEX["lipGap"]] for seed in range(8)])[:, gap > 0.25]
    assert 0.1 < (drawn.std(0) / drawn.mean(0)).mean() < 0.3
    half = np.stack([said(speech, 0.5, seed)[:, INDEX["lipGap"]] for seed in range(8)])[:, gap > 0.25]
    assert half.std(0).mean() == pytest.approx(0.5 * drawn.std(0).mean(), rel=0.25)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.5])
def test_closed_lips_stay_closed(temperature: float, speech: np.ndarray, mean: list[MouthFrame]) -> None:
    gap = curves(mean)[:, INDEX["lipGap"]]
    shut = np.array([frame.closed > 0.9 for frame in mean])
    assert shut.sum() > 5
    for seed in range(4):
        changed = said(speech, temperature, seed)[:, INDEX["lipGap"]] - gap
        assert np.abs(changed[shut]).max() < 0.02
        assert np.abs(changed[~shut]).max() > 0.05


def test_the_mouth_keeps_still_in_silence() -> None:
    silence = np.zeros(2 * RATE_HZ, np.float32)
    np.testing.assert_allclose(said(silence, 1.5), said(silence, 0.0), atol=0.03)


def test_curves_stay_between_0_and_1(speech: np.ndarray) -> None:
    drawn = said(50 * speech, 1.5)
    assert drawn.min() >= 0.0
    assert drawn.max() <= 1.0


@pytest.mark.parametrize("temperature", [-0.1, 1.6, float("nan")])
def test_a_temperature_out_of_range_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature of"):
        SpeechToMouth(temperature=temperature)
