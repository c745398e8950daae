"""SpeechFace: on the bundled speech, on sound that is no speech, however the sound is cut."""

import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.audio.lip_control import LipControl
from models.audio.speech_mouth import HOP
from models.face import load_face_model
from models.motion import COEFFICIENTS, Motion
from runtime.drivers.speech_face import SpeechFace
from runtime.sound import Sound

RATE_HZ = 16_000
HOP_NS = 20_000_000
MODEL = load_face_model()


def hear(samples: np.ndarray, rate_hz: int = RATE_HZ, block: int = 0, **options: float) -> list[Motion]:
    """The motions for sound given in blocks of so many samples; 0 is all at once."""
    driver = SpeechFace(MODEL, **options)
    samples = samples.astype(np.float32).reshape(len(samples), -1)
    motions: list[Motion] = []
    for start in range(0, len(samples), block or len(samples)):
        part = samples[start : start + (block or len(samples))]
        motions += driver.push(Sound(part, rate_hz, round(start * 1e9 / rate_hz)))
    driver.close()
    return motions


def over(motions: Sequence[Motion], name: str, start_s: float, end_s: float) -> np.ndarray:
    return np.array([m[name] for m in motions if start_s <= m.pts_ns / 1e9 < end_s])


def opening(motions: Sequence[Motion], start_s: float = -1.0, end_s: float = 1e9) -> np.ndarray:
    """What jaw and lips open."""
    return over(motions, "jawOpen", start_s, end_s) - over(motions, "mouthClose", start_s, end_s)


def vector(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.expression, motion.rotation, motion.translation, [motion.confidence]])


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ))


@pytest.fixture(scope="module")
def example(speech_wav: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(speech_wav)) as file:
        raw, rate_hz = file.readframes(file.getnframes()), file.getframerate()
    return np.frombuffer(raw, "<i2").astype(np.float32) / 32768, rate_hz


@pytest.fixture(scope="module")
def spoken(example: tuple[np.ndarray, int]) -> list[Motion]:
    samples, rate_hz = example
    return hear(samples, rate_hz)


@pytest.mark.parametrize("block", [160, HOP, 1001])
def test_the_cut_into_blocks_does_not_show(block: int, example: tuple[np.ndarray, int]) -> None:
    samples, rate_hz = example
    samples = samples[: 3 * rate_hz]
    whole, cut = hear(samples, rate_hz), hear(samples, rate_hz, block)
    assert opening(whole).max() > 0.1
    assert [m.pts_ns for m in cut] == [m.pts_ns for m in whole]
    assert all(np.array_equal(vector(a), vector(b)) for a, b in zip(cut, whole, strict=True))


@pytest.mark.parametrize("look_ahead_ms", [0, 40, 80, 120])
def test_motions_come_50_times_a_second_and_say_what_instant_they_show(look_ahead_ms: int) -> None:
    driver = SpeechFace(MODEL, look_ahead_ms)
    assert driver.look_ahead_ns == look_ahead_ms * 1_000_000
    start_ns = 9_876_543_210
    for k in range(10):
        (motion,) = driver.push(Sound(np.zeros((HOP, 1), np.float32), RATE_HZ, start_ns + k * HOP_NS))
        assert motion.pts_ns == start_ns + (k + 1) * HOP_NS - driver.look_ahead_ns


def test_more_look_ahead_moves_the_mouth_no_later(example: tuple[np.ndarray, int], spoken: list[Motion]) -> None:
    """Every head describes the same instants: curves of different look-aheads lie on one another."""
    samples, rate_hz = example
    for look_ahead_ms in (40, 120):
        other = hear(samples, rate_hz, look_ahead_ms=look_ahead_ms)
        at = {m.pts_ns: m["jawOpen"] for m in other}
        pairs = np.array([(m["jawOpen"], at[m.pts_ns]) for m in spoken if m.pts_ns in at])
        ours, others = pairs.T
        alike = [np.corrcoef(ours[3:-3], np.roll(others, shift)[3:-3])[0, 1] for shift in range(-3, 4)]
        assert abs(int(np.argmax(alike)) - 3) <= 1


def test_the_mouth_speaks_in_syllables_and_closes_in_silence(
    example: tuple[np.ndarray, int], spoken: list[Motion]
) -> None:
    samples, rate_hz = example
    loud = np.flatnonzero(np.abs(samples) > 0.01) / rate_hz
    gap = opening(spoken, loud[0], loud[-1])
    assert gap.max() > 0.25
    middle = float(np.median(gap))
    assert np.count_nonzero(np.diff(np.sign(gap - middle)) > 0) >= 6
    after = hear(np.concatenate([samples, np.zeros(3 * rate_hz, np.float32)]), rate_hz)
    end_s = len(samples) / rate_hz
    assert opening(after, end_s + 1.0).max() < 0.03


def test_confidence_comes_with_speech_and_eases_out_after_it(example: tuple[np.ndarray, int]) -> None:
    samples, rate_hz = example
    motions = hear(np.concatenate([np.zeros(rate_hz, np.float32), samples, np.zeros(4 * rate_hz, np.float32)]), rate_hz)
    at_s = np.array([m.pts_ns for m in motions]) / 1e9
    confidence = np.array([m.confidence for m in motions])
    loud = 1.0 + np.flatnonzero(np.abs(samples) > 0.01) / rate_hz
    assert not confidence[at_s < loud[0] - 0.3].any()
    assert confidence[(at_s > loud[0] + 0.4) & (at_s < loud[-1])].min() > 0.99
    assert not confidence[at_s > loud[-1] + 2.5].any()
    assert np.abs(np.diff(confidence)).max() < 0.45 and np.diff(confidence).min() > -0.1


NO_SPEECH = {
    "digital silence": silence(4.0),
    "a quiet room": 0.003 * np.random.default_rng(0).standard_normal(4 * RATE_HZ),
    "a loud fan": 0.03 * np.random.default_rng(1).standard_normal(4 * RATE_HZ),
    "mains hum": 0.05 * np.sin(2 * np.pi * 50 * np.arange(4 * RATE_HZ) / RATE_HZ),
    "direct current": np.full(4 * RATE_HZ, 0.5),
}


@pytest.mark.parametrize("kind", NO_SPEECH)
def test_what_is_no_speech_moves_nothing(kind: str) -> None:
    motions = hear(NO_SPEECH[kind])
    settled = [m for m in motions if m.pts_ns > 500_000_000]
    assert max(m.confidence for m in settled) < 0.1
    assert opening(settled).max() < 0.05


def test_nothing_is_said_of_sound_before_a_gap(example: tuple[np.ndarray, int]) -> None:
    samples, rate_hz = example
    driver = SpeechFace(MODEL)
    before = driver.push(Sound(samples[: 2 * rate_hz, None], rate_hz, 0))
    after = driver.push(Sound(np.zeros((2 * rate_hz, 1), np.float32), rate_hz, 60_000_000_000))
    assert opening(before).max() > 0.1
    after = [m for m in after if m.pts_ns > 2_000_000_000]  # the first ends what was said before
    assert after[0].pts_ns >= 60_000_000_000 - driver.look_ahead_ns
    assert opening(after, 60.5).max() < 0.05
    stamps = [m.pts_ns for m in [*before, *after]]
    assert all(a < b for a, b in pairwise(stamps))


STRANGE = {
    "clipping": lambda s: np.clip(40 * s, -1, 1),
    "far over full scale": lambda s: 1e4 * s,
    "denormals": lambda s: 1e-40 * s,
    "a step": lambda s: np.concatenate([0 * s, np.ones(RATE_HZ)]),
    "full-scale noise": lambda s: np.random.default_rng(0).uniform(-1, 1, len(s)),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_strange_sound_gives_numbers_in_range(kind: str, example: tuple[np.ndarray, int]) -> None:
    samples, rate_hz = example
    motions = hear(STRANGE[kind](samples[: 2 * rate_hz].astype(np.float64)), rate_hz)
    expression = np.array([m.expression for m in motions])
    assert len(motions) > 60
    assert expression.shape[1] == len(COEFFICIENTS)
    assert np.isfinite(expression).all() and expression.min() >= 0 and expression.max() <= 1
    assert np.abs([m.rotation for m in motions]).max() < 0.15


def test_amplitude_scales_the_mouth(example: tuple[np.ndarray, int], spoken: list[Motion]) -> None:
    samples, rate_hz = example
    half = hear(samples, rate_hz, amplitude=0.5)
    lips = LipControl(MODEL)
    widest, half_as_wide = (max(lips.gap(m.expression) for m in motions) for motions in (spoken, half))
    assert half_as_wide == pytest.approx(0.5 * widest, rel=0.05)
    still = hear(samples[: 3 * rate_hz], rate_hz, amplitude=0.0)
    assert not opening(still).any()


def test_the_face_lives_beside_the_mouth(example: tuple[np.ndarray, int]) -> None:
    samples, rate_hz = example
    pause = np.zeros(rate_hz, np.float32)
    motions = hear(np.concatenate([samples, pause, samples, pause, samples, pause]), rate_hz)
    assert np.rad2deg(np.ptp([m.rotation[0] for m in motions])) > 0.5
    assert over(motions, "browInnerUp", 0, 99).max() > 0.03
    assert over(motions, "eyeBlinkLeft", 0, 99).max() > 0.9


def test_temperature_varies_the_mouth_alone(example: tuple[np.ndarray, int], spoken: list[Motion]) -> None:
    samples, rate_hz = example
    varied, same, other = (hear(samples, rate_hz, temperature=1.0, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(vector(a), vector(b)) for a, b in zip(varied, same, strict=True))
    for motions in (spoken, other):
        assert np.abs(opening(varied) - opening(motions)).max() > 0.02
        assert np.array_equal([m.rotation for m in varied], [m.rotation for m in motions])
        assert [m.confidence for m in varied] == [m.confidence for m in motions]
