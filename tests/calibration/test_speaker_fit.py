"""A speaker's own layer: found where the mouth follows the voice in its own way, refused where it does not."""

from pathlib import Path

import numpy as np
import pytest

from calibration.mouth_heard import MouthHeard
from calibration.speaker_fit import LEAST_SPEECH_S, SpeakerFit, find_offset, fit_speaker, together
from models.audio.curves import CURVES
from models.audio.speaker_layer import HIDDEN, SpeakerLayer, measures
from models.errors import InputError
from tests.speakers import hear, read_aloud

HEAD = 2
LATE_S = 0.06
NOTHING = SpeakerLayer("", np.zeros((4, 3, HIDDEN + 2), np.float32))


@pytest.fixture(scope="module")
def heard(speech_wav: Path) -> MouthHeard:
    return hear(read_aloud(speech_wav))


@pytest.fixture(scope="module")
def times_s(heard: MouthHeard) -> np.ndarray:
    """Of pictures, 25 a second."""
    return np.arange(0.2, heard._ends_s[-1] - 0.2, 0.04)


def mouth(heard: MouthHeard, times_s: np.ndarray, bend: float = 0.0, noise: float = 0.03) -> np.ndarray:
    """Gap, width and jaw of somebody who opens further, is narrower, and moves a little otherwise; seen late."""
    answers, hidden = heard.at(times_s - LATE_S, HEAD)
    random = np.random.default_rng(5)
    own = measures(answers[:, : len(CURVES)].astype(np.float64)) * [1.6, 0.7, 1.3] + [-0.05, -0.1, 0.02]
    own += bend * hidden @ random.normal(0, 1, (HIDDEN, 3)) / np.sqrt(HIDDEN)
    return own + random.normal(0, noise, own.shape)


def test_a_known_change_of_the_mouth_is_recovered(heard: MouthHeard, times_s: np.ndarray) -> None:
    fit = fit_speaker(heard, times_s, mouth(heard, times_s), "a" * 64)
    assert fit.offset_ms == pytest.approx(1000 * LATE_S, abs=10)
    assert (fit.before > 0.1).all() and (fit.after < 0.08).all()
    assert fit.layer.network == "a" * 64
    answers, hidden = heard.at(times_s, HEAD)
    own = measures(fit.layer.curves(HEAD, answers, hidden).astype(np.float64))
    plain = measures(NOTHING.curves(HEAD, answers, hidden).astype(np.float64))
    assert np.polyfit(plain[:, 0], own[:, 0], 1)[0] == pytest.approx(1.6, abs=0.15)


def test_what_only_the_hidden_layer_tells_is_recovered_at_every_look_ahead(
    heard: MouthHeard, times_s: np.ndarray
) -> None:
    seen = mouth(heard, times_s, bend=0.4)
    fit = fit_speaker(heard, times_s, seen, "")
    assert fit.after.mean() < 0.5 * fit.before.mean()
    for head in range(4):
        answers, hidden = heard.at(times_s - LATE_S, head)
        said = measures(fit.layer.curves(head, answers, hidden).astype(np.float64))
        assert np.corrcoef(said[:, 2], seen[:, 2])[0, 1] > 0.8


def test_a_mouth_at_another_time_is_refused(heard: MouthHeard, times_s: np.ndarray) -> None:
    seen = mouth(heard, times_s)
    for seconds in (0.5, 1.7, -3.1):
        with pytest.raises(InputError, match="does not move with the sound"):
            find_offset(heard, times_s, np.roll(seen, round(seconds * 25), axis=0))


def test_a_mouth_that_does_not_move_or_moves_by_chance_is_refused(heard: MouthHeard, times_s: np.ndarray) -> None:
    chance = np.random.default_rng(1).normal(0.3, 0.1, (len(times_s), 3))
    for seen in (np.zeros_like(chance), chance):
        with pytest.raises(InputError, match="does not move with the sound"):
            fit_speaker(heard, times_s, seen, "")


def test_a_gain_that_does_not_last_is_refused(heard: MouthHeard, times_s: np.ndarray) -> None:
    answers, _ = heard.at(times_s, HEAD)
    said = measures(answers[:, : len(CURVES)].astype(np.float64))
    early = times_s < 0.6 * times_s[-1]
    seen = np.where(early[:, None], 2.2 * said + 0.3, said)
    with pytest.raises(InputError, match=r"does not hold: .* without it 0\.0"):
        fit_speaker(heard, times_s, seen, "")


def test_too_little_speech_is_refused(heard: MouthHeard, times_s: np.ndarray) -> None:
    few = times_s[times_s < 3.0]
    for times in (few, few[:1], few[:0]):
        with pytest.raises(InputError, match=f"at least {LEAST_SPEECH_S:.0f} are needed"):
            fit_speaker(heard, times, np.zeros((len(times), 3)), "")


def test_silence_alone_is_refused() -> None:
    times_s = np.arange(0.2, 7.8, 0.04)
    for silent in (hear(np.zeros(16_000 * 8, np.float32)), MouthHeard()):
        with pytest.raises(InputError, match=r"^0\.0 s of speech"):
            fit_speaker(silent, times_s, np.zeros((len(times_s), 3)), "")


def test_pictures_from_before_and_after_the_sound_do_not_count(heard: MouthHeard, times_s: np.ndarray) -> None:
    beyond = np.concatenate([[-9.0], times_s, [times_s[-1] + 9.0]])
    weight = together(heard, beyond, np.zeros((len(beyond), 3)), HEAD).weight
    assert weight[0] == weight[-1] == 0 and weight.max() == 1
    answers, _ = heard.at(beyond, HEAD)
    np.testing.assert_array_equal(answers[-1], heard._answers[-1][HEAD])


def test_the_same_recording_gives_the_same_layer(heard: MouthHeard, times_s: np.ndarray) -> None:
    first, again = (fit_speaker(heard, times_s, mouth(heard, times_s), "") for _ in range(2))
    assert isinstance(first, SpeakerFit)
    np.testing.assert_array_equal(first.layer.weights, again.layer.weights)
