"""Timbre, channel, codecs and noises."""

import numpy as np
import pytest
from a2m import channel, noises, timbre
from a2m.codecs import round_trip
from a2m.segments import Segment
from a2m.sound import Utterance

from models.audio.mel import RATE_HZ


def vowel(formant_hz: float, seconds: float = 1.0, rate_hz: int = 22_050) -> np.ndarray:
    """Pulses through one resonance."""
    import scipy.signal

    pulses = np.zeros(round(seconds * rate_hz))
    pulses[:: rate_hz // 110] = 1.0
    radius = np.exp(-np.pi * 90 / rate_hz)
    sound = scipy.signal.lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * formant_hz / rate_hz), radius**2], pulses)
    return (sound / np.abs(sound).max()).astype(np.float32)


def peak_hz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    smooth = np.convolve(spectrum, np.hanning(401), "same")
    return float(smooth.argmax() * RATE_HZ / len(sound))


def pitch_hz(sound: np.ndarray) -> float:
    own = np.correlate(sound[:4000], sound[:4000], "full")[4000:]
    return RATE_HZ / (own[50:400].argmax() + 51)


def test_a_neutral_timbre_only_changes_the_rate() -> None:
    said = Utterance(vowel(1500), 22_050, [Segment(0.2, 0.4, "a")])
    sound, segments = timbre.apply(said, timbre.NEUTRAL, np.random.default_rng(0))
    assert len(sound) == pytest.approx(RATE_HZ, abs=2)
    assert segments[0].start == 0.2
    assert peak_hz(sound) == pytest.approx(1500, rel=0.05)


def test_resampling_moves_phones_with_the_sound() -> None:
    said = Utterance(vowel(1500), 22_050, [Segment(0.2, 0.4, "a")])
    faster = timbre.Timbre(resample=1.25, formants=1.0, jitter=0.0, breath=0.0)
    sound, segments = timbre.apply(said, faster, np.random.default_rng(0))
    assert len(sound) == pytest.approx(RATE_HZ / 1.25, abs=2)
    assert segments[0].start == pytest.approx(0.16)
    assert peak_hz(sound) == pytest.approx(1875, rel=0.05)


@pytest.mark.parametrize("factor", [0.85, 1.18])
def test_formants_move_and_the_pitch_stays(factor: float) -> None:
    sound = vowel(1500, rate_hz=RATE_HZ)
    warped = timbre.warp_formants(sound, factor)
    assert len(warped) == len(sound)
    assert peak_hz(warped) == pytest.approx(1500 * factor, rel=0.06)
    assert pitch_hz(warped) == pytest.approx(pitch_hz(sound), rel=0.02)


@pytest.mark.parametrize("codec", ["libopus", "aac"])
def test_codecs_keep_the_time(codec: str) -> None:
    rng = np.random.default_rng(0)
    sound = (0.3 * vowel(900, 2.0, RATE_HZ) * np.repeat(rng.random(20), 1600)).astype(np.float32)
    decoded = round_trip(sound, codec, 32_000)
    assert decoded.shape == sound.shape
    assert np.corrcoef(sound, decoded)[0, 1] > 0.9


def test_a_recording_keeps_length_and_time() -> None:
    clean = np.zeros(2 * RATE_HZ, np.float32)
    clean[RATE_HZ:] = vowel(900, 1.0, RATE_HZ)
    for seed in range(12):
        out = channel.degrade(clean, np.random.default_rng(seed), [])
        assert out.shape == clean.shape
        assert np.isfinite(out).all()
        assert np.abs(out).max() < 1.5
        assert out[RATE_HZ:].std() > out[: RATE_HZ - 800].std()


@pytest.mark.parametrize("kind", noises.KINDS)
def test_noises_have_unit_level(kind) -> None:
    sound = kind(RATE_HZ, np.random.default_rng(1))
    assert len(sound) == RATE_HZ
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(1.0, rel=1e-3)
