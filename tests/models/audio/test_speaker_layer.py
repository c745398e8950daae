"""A speaker's layer in the ear: it changes speech, and neither silence nor sealed lips."""

from pathlib import Path

import numpy as np
import pytest

from models.audio.curves import CLOSED, CURVES, INDEX, SPEECH
from models.audio.speaker_layer import HIDDEN, INPUTS, SpeakerLayer, applies, measures
from models.audio.speech_mouth import SpeechToMouth, network_digest
from tests.speakers import read_aloud

OUTPUTS = len(CURVES) + 19


def layer(network: str = "", **changes: float) -> SpeakerLayer:
    """Adds so much to a measure, at every look-ahead."""
    weights = np.zeros((4, 3, INPUTS), np.float32)
    for name, value in changes.items():
        weights[:, ("gap", "width", "jaw").index(name), -1] = value
    return SpeakerLayer(network, weights)


def answer(closed: float = -9.0, speech: float = 9.0, **curves: float) -> np.ndarray:
    out = np.zeros((1, OUTPUTS), np.float32)
    for name, value in curves.items():
        out[0, INDEX[name]] = value
    out[0, CLOSED], out[0, SPEECH] = closed, speech
    return out


def curves(speaker: SpeakerLayer, answers: np.ndarray, hidden: np.ndarray | None = None) -> np.ndarray:
    return speaker.curves(0, answers, np.zeros((1, HIDDEN), np.float32) if hidden is None else hidden)[0]


def test_what_is_added_arrives_in_the_measures() -> None:
    said = answer(lipGap=0.3, lipWide=0.3, lipRound=0.3, jawOpen=0.2, mouthPucker=0.3, mouthPress=0.1)
    own = curves(layer(gap=0.2, width=0.4, jaw=-0.1), said)
    np.testing.assert_allclose(measures(own[None])[0], [0.5, 0.4, 0.1], atol=1e-6)
    assert own[INDEX["mouthStretch"]] == pytest.approx(0.4 * 0.275)
    assert own[INDEX["mouthPucker"]] == pytest.approx(0.3 - 0.4 * 0.375)
    assert own[INDEX["mouthPress"]] == pytest.approx(0.1)


def test_each_input_counts() -> None:
    weights = np.zeros((4, 3, INPUTS), np.float32)
    weights[0, 0, 0], weights[0, 0, 8], weights[1, 0, -1] = 0.5, 0.25, 1.0
    hidden = np.zeros((1, HIDDEN), np.float32)
    hidden[0, 7] = 0.8
    own = curves(SpeakerLayer("", weights), answer(lipGap=0.2), hidden)
    assert own[INDEX["lipGap"]] == pytest.approx(0.2 + 0.5 * 0.2 + 0.25 * 0.8)


@pytest.mark.parametrize("quiet", [{"speech": -3.0}, {"closed": 2.0}])
def test_silence_and_sealed_lips_stay_the_networks(quiet: dict[str, float]) -> None:
    said = answer(lipGap=0.1, jawOpen=0.1, **quiet)
    assert applies(said)[0] == 0.0
    np.testing.assert_array_equal(curves(layer(gap=0.5, width=0.5, jaw=0.5), said), said[0, : len(CURVES)])


def test_curves_stay_between_0_and_1() -> None:
    assert curves(layer(gap=5.0, width=-5.0, jaw=-5.0), answer(jawOpen=0.5)).max() == 1.0
    assert curves(layer(gap=5.0, width=-5.0, jaw=-5.0), answer(jawOpen=0.5)).min() == 0.0


@pytest.mark.parametrize("look_ahead_ms", [0, 80])
def test_the_ear_says_the_speakers_curves_and_the_same_closures(look_ahead_ms: int, speech_wav: Path) -> None:
    sound = read_aloud(speech_wav, (1.0,))
    plain = SpeechToMouth(look_ahead_ms).push(sound)
    nothing = SpeechToMouth(look_ahead_ms, speaker=layer(network_digest())).push(sound)
    own = SpeechToMouth(look_ahead_ms, speaker=layer(network_digest(), gap=0.2)).push(sound)
    gap = [np.array([frame["lipGap"] for frame in frames]) for frames in (plain, nothing, own)]
    np.testing.assert_allclose(gap[1], gap[0], atol=1e-6)
    speaks = np.array([f.speech > 0.5 and f.closed < 0.3 and 0 < f["lipGap"] < 0.8 for f in plain])
    np.testing.assert_allclose((gap[2] - gap[0])[speaks], 0.2, atol=1e-5)
    sealed = np.array([frame.closed > 0.75 for frame in plain])
    assert sealed.any()
    np.testing.assert_array_equal(gap[2][sealed], gap[0][sealed])
    assert [frame.closed for frame in own] == [frame.closed for frame in plain]


def test_a_layer_of_other_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="made for other weights than speech_mouth"):
        SpeechToMouth(speaker=layer("0" * 64))
