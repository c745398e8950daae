"""The committed speech network, live: on the bundled speech and on sound that is none."""

import numpy as np
import pytest

from models.audio.curves import CURVES, INDEX
from models.audio.speech_mouth import HOP, LOOK_AHEADS_MS, SpeechToMouth

RATE_HZ = 16_000


def curves(mouth: SpeechToMouth, sound: np.ndarray) -> np.ndarray:
    return np.stack([frame.curves for frame in mouth.push(sound)])


def test_fifty_frames_a_second(speech: np.ndarray) -> None:
    assert len(SpeechToMouth().push(speech)) == len(speech) // HOP


def test_the_cut_into_chunks_does_not_show(speech: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    whole, cut = curves(SpeechToMouth(), speech), SpeechToMouth()
    ends = np.cumsum(rng.integers(1, 4001, 400))
    parts = [frame.curves for part in np.split(speech, ends[ends < len(speech)]) for frame in cut.push(part)]
    np.testing.assert_array_equal(np.stack(parts), whole)


def test_reset_forgets(speech: np.ndarray) -> None:
    mouth = SpeechToMouth()
    first = curves(mouth, speech[:RATE_HZ])
    mouth.push(speech[: HOP // 2])
    mouth.reset()
    np.testing.assert_array_equal(curves(mouth, speech[:RATE_HZ]), first)


def test_the_mouth_opens_in_speech_and_stays_closed_in_silence(speech: np.ndarray) -> None:
    gap = INDEX["lipGap"]
    assert np.percentile(curves(SpeechToMouth(), speech)[:, gap], 90) > 0.3
    assert curves(SpeechToMouth(), np.zeros(3 * RATE_HZ, np.float32))[25:, gap].max() < 0.1


def test_speech_is_told_from_silence(speech: np.ndarray) -> None:
    said = [frame.speech for frame in SpeechToMouth().push(speech)]
    silent = [frame.speech for frame in SpeechToMouth().push(np.zeros(2 * RATE_HZ, np.float32))]
    assert np.median(said) > 0.8
    assert max(silent[25:]) < 0.3


def test_loudness_does_not_matter(speech: np.ndarray) -> None:
    plain, quiet = (curves(SpeechToMouth(), gain * speech) for gain in (np.float32(1.0), np.float32(0.1)))
    assert np.sqrt(np.mean((plain - quiet) ** 2)) < 0.03


@pytest.mark.parametrize("look_ahead_ms", LOOK_AHEADS_MS)
def test_every_look_ahead_describes_the_same_mouth(look_ahead_ms: int, speech: np.ndarray) -> None:
    mouth, other = SpeechToMouth(look_ahead_ms), SpeechToMouth(80)
    hops = (look_ahead_ms - 80) // 20
    own, same = curves(mouth, speech)[:, INDEX["jawOpen"]], curves(other, speech)[:, INDEX["jawOpen"]]
    own, same = own[max(hops, 0) :], same[max(-hops, 0) :]
    count = min(len(own), len(same))
    assert np.corrcoef(own[25:count], same[25:count])[0, 1] > 0.85
    assert mouth.look_ahead_ns == look_ahead_ms * 1_000_000


def test_sound_that_is_not_a_number_counts_as_silence(speech: np.ndarray) -> None:
    mouth, other = SpeechToMouth(), SpeechToMouth()
    broken = speech[: 2 * HOP].copy()
    broken[100:110] = np.nan
    mended = np.nan_to_num(broken)
    np.testing.assert_array_equal(curves(mouth, broken), curves(other, mended))


def test_curves_stay_between_0_and_1(speech: np.ndarray) -> None:
    said = curves(SpeechToMouth(), 50 * speech)
    assert said.shape[1] == len(CURVES)
    assert said.min() >= 0.0
    assert said.max() <= 1.0


def test_another_look_ahead_is_refused() -> None:
    with pytest.raises(ValueError, match="look-ahead of 50 ms"):
        SpeechToMouth(50)


def test_frames_are_read_by_name(speech: np.ndarray) -> None:
    frame = SpeechToMouth().push(speech)[60]
    assert frame["jawOpen"] == pytest.approx(float(frame.curves[INDEX["jawOpen"]]))
