"""Speech engines: their phone times fit their sound."""

import random
import shutil
from collections.abc import Sequence
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import pytest
from a2m import festival, flite, phones, voices
from a2m.sound import Utterance

needs_espeak = pytest.mark.skipif(find_library("espeak-ng") is None, reason="espeak-ng is not installed")
needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
_INSTALLED = [
    name
    for name, voice in festival.VOICES.items()
    if shutil.which("festival") and list(Path("/usr/share/festival/voices").glob(f"*/{voice.name}"))
]


def loudness(said: Sequence[Utterance], symbols: Sequence[str]) -> float:
    """Mean RMS inside the segments of these phones."""
    parts = [
        u.samples[round(s.start * u.rate_hz) : round(s.end * u.rate_hz)]
        for u in said
        for s in u.segments
        if s.phone in symbols
    ]
    return float(np.mean([np.sqrt(np.mean(part**2)) for part in parts if len(part)]))


def assert_times_fit(*said: Utterance) -> None:
    for utterance in said:
        assert_in_order(utterance)
    assert loudness(said, list(phones.VOWELS)) > 1.5 * loudness(said, ["p", "t", "k", "ʈ"])


def assert_in_order(utterance: Utterance) -> None:
    seconds = len(utterance.samples) / utterance.rate_hz
    assert all(0 <= s.start < s.end <= seconds + 0.05 for s in utterance.segments)
    assert all(a.end <= b.start + 1e-6 for a, b in zip(utterance.segments, utterance.segments[1:], strict=False))
    assert all(s.phone in phones.ROWS for s in utterance.segments)


@needs_espeak
def test_espeak_says_what_it_is_told() -> None:
    said = voices.Engines().say_by_espeak("Papa took a happy map to Peter.", "en-us", 150, 50, 50)
    assert_times_fit(said)
    assert [s.phone for s in said.segments if s.phone in phones.BILABIALS] == list("pppmpp")


@needs_espeak
def test_voiceless_stops_start_with_their_silence() -> None:
    said = voices.Engines().say_by_espeak("Appa atta akka.", "it", 140, 50, 20)
    stops = [s for s in said.segments if s.phone in phones.VOICELESS_STOPS and s.release]
    assert max(stop.release - stop.start for stop in stops) > 0.03
    for stop in stops:
        start, release = (round(t * said.rate_hz) for t in (stop.start, stop.release - 0.015))
        assert np.abs(said.samples[start + 100 : release]).max(initial=0.0) < 0.02


@needs_espeak
def test_an_unknown_voice_is_refused() -> None:
    with pytest.raises(ValueError, match="no voice zz-none"):
        voices.Engines().say_by_espeak("a", "zz-none", 150, 50, 50)


@pytest.mark.parametrize("name", _INSTALLED)
def test_festival_voices_give_phone_times(name: str) -> None:
    speaker = voices.Speaker("festival", festival.VOICES[name].language, name)
    utterances = voices.Engines().utterances(speaker, random.Random(3))
    assert_times_fit(*(next(utterances) for _ in range(4)))


@needs_flite
@pytest.mark.parametrize("voice", flite.VOICES)
def test_flite_gives_phone_times(voice: str) -> None:
    said = flite.say("Papa took a happy map to Peter.", voice)
    assert_times_fit(said)
    assert sum(s.phone in phones.BILABIALS for s in said.segments) == 6


def test_the_held_out_stay_out() -> None:
    assert not set(voices.HELD_OUT_VOICES) & set(voices.TRAIN_VOICES)
    assert not set(voices.HELD_OUT_LANGUAGES) & {
        *voices.TRAIN_LANGUAGES, *(voice.language for voice in festival.VOICES.values()),
    }  # fmt: skip
    assert not any(speaker in voice.name for voice in festival.VOICES.values() for speaker in flite.VOICES)
    assert not any(name in voice.name for voice in festival.VOICES.values() for name in ("kal", "cmu"))
