"""Log-mel frames and the causal normaliser."""

import numpy as np

from models.audio.mel import BANDS, RATE_HZ, STEP, LogMel, Normaliser


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ)).astype(np.float32)


def bursts(seconds: float, gain: float) -> np.ndarray:
    """Noise that comes and goes like syllables."""
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (gain * noise(seconds) * (0.5 - 0.5 * np.cos(2 * np.pi * 4 * times)) ** 2).astype(np.float32)


def test_a_tone_is_loudest_in_its_own_band() -> None:
    times = np.arange(RATE_HZ // 2) / RATE_HZ
    peaks = [
        LogMel().push(np.sin(2 * np.pi * hz * times).astype(np.float32))[-1].argmax() for hz in (200, 500, 1500, 5000)
    ]
    assert peaks == sorted(peaks)
    assert peaks[0] < 8
    assert peaks[-1] > 50


def test_frames_do_not_depend_on_how_the_sound_is_cut() -> None:
    sound = noise(0.5)
    whole = LogMel().push(sound)
    cut = LogMel()
    parts = [cut.push(sound[at : at + 2 * STEP]) for at in range(0, len(sound), 2 * STEP)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)


def test_a_frame_knows_nothing_of_later_sound() -> None:
    sound = noise(0.5)
    changed = sound.copy()
    changed[40 * STEP :] = 0
    np.testing.assert_array_equal(LogMel().push(sound)[:40], LogMel().push(changed)[:40])


def test_level_is_taken_off() -> None:
    quiet, loud = (Normaliser().push(LogMel().push(bursts(12.0, gain)))[900:] for gain in (0.03, 0.3))
    speaks = loud[:, BANDS] > -1.0
    assert speaks.sum() > 100
    np.testing.assert_allclose(quiet[speaks, :BANDS], loud[speaks, :BANDS], atol=0.12)


def test_the_colour_of_the_microphone_is_taken_off() -> None:
    frames = LogMel().push(bursts(20.0, 0.1))
    tilt = np.linspace(-1.5, 1.5, BANDS, dtype=np.float32)
    plain, tilted = Normaliser().push(frames), Normaliser().push(frames + tilt)
    late = np.abs((plain - tilted)[1500:, :BANDS]).mean()
    early = np.abs((plain - tilted)[:50, :BANDS]).mean()
    assert late < 0.25 * early


def test_silence_gives_finite_features_and_teaches_nothing() -> None:
    normaliser, fresh = Normaliser(), Normaliser()
    silence = LogMel().push(np.zeros(RATE_HZ * 3, np.float32))
    assert np.isfinite(normaliser.push(silence)).all()
    frames = LogMel().push(bursts(1.0, 0.1))
    np.testing.assert_allclose(normaliser.push(frames), fresh.push(frames), atol=1e-4)


def test_features_stay_bounded_for_any_level() -> None:
    for gain in (1e-9, 1e-3, 1.0, 4.0):
        features = Normaliser().push(LogMel().push(gain * noise(1.0)))
        assert features.min() >= -4.0
        assert features.max() <= 2.5
