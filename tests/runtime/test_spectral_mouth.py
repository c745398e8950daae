"""The mouth that follows the spectrum: on synthetic vowels and on the bundled speech."""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from models.motion import Motion
from runtime.drivers.spectral_mouth import HOP, LOOK_AHEAD_NS, SpectralMouth
from runtime.frame import Sound

RATE_HZ = 16_000
HOP_NS = 20_000_000
# Formants and their bandwidths, Hz, of a male voice.
AH = ((730, 80), (1090, 90), (2440, 120))
EE = ((270, 60), (2290, 100), (3010, 120))
OO = ((300, 60), (870, 80), (2240, 120))
HUM = ((250, 60),)

Formants = Sequence[tuple[int, int]]


def sung(formants: Formants, seconds: float, gain: float = 0.3, pitch_hz: int = 120) -> np.ndarray:
    """Glottal pulses through resonators, as a formant synthesizer speaks."""
    sound = np.zeros(round(seconds * RATE_HZ))
    sound[:: RATE_HZ // pitch_hz] = 1.0
    sound = lfilter([1.0], [1.0, -0.96], sound)
    for hz, bandwidth_hz in formants:
        radius = np.exp(-np.pi * bandwidth_hz / RATE_HZ)
        sound = lfilter([1.0], [1.0, -2 * radius * np.cos(2 * np.pi * hz / RATE_HZ), radius**2], sound)
    return gain * sound / np.abs(sound).max()


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ))


SYLLABLE_S = 0.4
GAINS = {AH: 0.3, EE: 0.2, OO: 0.2, HUM: 0.1}


def babble(*syllables: Formants, gain: float = 1.0) -> np.ndarray:
    """Half a second of silence, then the syllables without a break."""
    return np.concatenate([silence(0.5)] + [sung(s, SYLLABLE_S, gain * GAINS[tuple(s)]) for s in syllables])


def hear(samples: np.ndarray, pts_ns: int = 0, rate_hz: int = RATE_HZ, block: int = 0) -> list[Motion]:
    """The motions for sound given in blocks of so many samples; 0 is all at once."""
    mouth = SpectralMouth()
    samples = samples.astype(np.float32).reshape(len(samples), -1)
    motions: list[Motion] = []
    for start in range(0, len(samples), block or len(samples)):
        part = samples[start : start + (block or len(samples))]
        motions += mouth.push(Sound(part, rate_hz, pts_ns + round(start * 1e9 / rate_hz)))
    mouth.close()
    return motions


def over(motions: Sequence[Motion], name: str, start_s: float, end_s: float) -> np.ndarray:
    return np.array([m[name] for m in motions if start_s <= m.pts_ns / 1e9 < end_s])


def syllable(motions: Sequence[Motion], name: str, index: int) -> float:
    """Mean of a coefficient in the settled part of the syllable so numbered."""
    start_s = 0.5 + index * SYLLABLE_S
    return float(over(motions, name, start_s + 0.2, start_s + 0.35).mean())


def vector(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.expression, motion.rotation, motion.translation, [motion.confidence]])


@pytest.fixture(scope="module")
def example(speech_wav: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(speech_wav)) as file:
        raw, rate_hz = file.readframes(file.getnframes()), file.getframerate()
    return np.frombuffer(raw, "<i2").astype(np.float32) / 32768, rate_hz


@pytest.fixture(scope="module")
def vowels() -> list[Motion]:
    return hear(babble(*(AH, HUM, EE, OO) * 3))


@pytest.mark.parametrize("block", [1, 160, HOP, 1001])
def test_the_cut_into_blocks_does_not_show(block: int, example: tuple[np.ndarray, int]) -> None:
    samples, rate_hz = example
    samples = samples[: rate_hz if block > 1 else rate_hz // 2]
    whole, cut = hear(samples, rate_hz=rate_hz), hear(samples, rate_hz=rate_hz, block=block)
    assert len(whole) > 20
    assert np.array([vector(m) for m in whole]).any()
    assert [m.pts_ns for m in cut] == [m.pts_ns for m in whole]
    assert all(np.array_equal(vector(a), vector(b)) for a, b in zip(cut, whole, strict=True))


@pytest.mark.parametrize("pts_ns", [0, 9_876_543_210])
def test_motions_come_50_times_a_second_as_soon_as_the_look_ahead_is_heard(pts_ns: int) -> None:
    mouth, heard = SpectralMouth(), np.zeros((HOP, 1), np.float32)
    for k in range(50):
        motions = mouth.push(Sound(heard, RATE_HZ, pts_ns + k * HOP_NS))
        end_ns = pts_ns + (k + 1) * HOP_NS
        assert [m.pts_ns for m in motions] == ([end_ns - LOOK_AHEAD_NS] if end_ns >= pts_ns + LOOK_AHEAD_NS else [])


def test_the_mouth_opens_when_the_voice_begins() -> None:
    motions = hear(np.concatenate([silence(1.0), sung(AH, 1.0)]))
    jaw = np.array([m["jawOpen"] for m in motions])
    at_s = np.array([m.pts_ns for m in motions]) / 1e9
    assert jaw[at_s < 0.93].max() < 0.01
    assert abs(at_s[np.argmax(jaw > 0.5 * jaw.max())] - 1.0) <= 0.04


def test_nothing_is_said_of_sound_before_a_gap() -> None:
    mouth = SpectralMouth()
    voice = sung(AH, 1.0).astype(np.float32)[:, None]
    before = mouth.push(Sound(voice, RATE_HZ, 0))
    after = mouth.push(Sound(np.zeros((RATE_HZ, 1), np.float32), RATE_HZ, 60_000_000_000))
    assert before[-1]["jawOpen"] > 0.2
    assert after[0].pts_ns >= 60_000_000_000
    assert over(after, "jawOpen", 60.2, 61.0).max() < 0.02
    stamps = [m.pts_ns for m in [*before, *after]]
    assert stamps == sorted(set(stamps))


def test_silence_is_no_opinion() -> None:
    motions = hear(silence(2.0))
    assert len(motions) == 98
    assert not np.array([vector(m) for m in motions]).any()


def test_room_noise_is_no_voice() -> None:
    noise = 0.003 * np.random.default_rng(0).standard_normal(RATE_HZ * 3)
    motions = hear(noise)
    assert max(m.confidence for m in motions) < 0.05
    assert max(m["jawOpen"] for m in motions) < 0.05


def test_a_voice_too_faint_to_hear_is_no_voice() -> None:
    faint = hear(np.concatenate([silence(0.5), sung(AH, 1.0, 1e-5)]))
    assert max(m["jawOpen"] for m in faint) < 0.01
    assert max(m.confidence for m in faint) < 0.01


def test_after_speech_the_mouth_eases_back_to_the_photo() -> None:
    motions = hear(np.concatenate([babble(AH, OO, AH), silence(3.0)]))
    end_s = 0.5 + 3 * SYLLABLE_S
    for name in ("mouthNeutral", "confidence"):
        values = np.array([m.confidence if name == "confidence" else m[name] for m in motions])
        at_s = np.array([m.pts_ns for m in motions]) / 1e9
        assert values[(at_s > 0.8) & (at_s < end_s + 0.8)].min() > 0.99, name
        assert not values[at_s > end_s + 1.9].any(), name
        assert np.abs(np.diff(values[at_s > end_s])).max() < 0.12, name
    assert over(motions, "jawOpen", end_s + 0.3, 99).max() < 0.02


def test_an_open_vowel_opens_the_jaw_a_hum_does_not(vowels: list[Motion]) -> None:
    for turn in (0, 4, 8):
        ah, hum = (syllable(vowels, "jawOpen", turn + i) for i in (0, 1))
        assert ah > 0.3
        assert hum < 0.3 * ah
    assert over(vowels, "jawOpen", 0.0, 0.4).max() < 0.01


def test_vowels_shape_the_lips(vowels: list[Motion]) -> None:
    for turn in (4, 8):
        ah, ee, oo = turn, turn + 2, turn + 3
        assert syllable(vowels, "jawOpen", ah) > 1.5 * syllable(vowels, "jawOpen", oo)
        assert syllable(vowels, "mouthPucker", oo) > 0.15 + syllable(vowels, "mouthPucker", ah)
        assert syllable(vowels, "mouthPucker", ee) < 0.02
        for spread in ("mouthSmileLeft", "mouthStretchRight"):
            assert syllable(vowels, spread, ee) > 0.08 + syllable(vowels, spread, oo)


def test_lips_meet_when_a_hum_begins(vowels: list[Motion]) -> None:
    for turn in (0, 4, 8):
        start_s = 0.5 + (turn + 1) * SYLLABLE_S
        close, jaw = (over(vowels, name, start_s, start_s + 0.12) for name in ("mouthClose", "jawOpen"))
        assert (close / jaw).max() > 0.7
        assert syllable(vowels, "mouthClose", turn) < 0.02
    assert all(m["mouthClose"] <= m["jawOpen"] for m in vowels)


def test_a_voice_without_a_break_is_not_taken_for_the_room(vowels: list[Motion]) -> None:
    spoken_s = 0.5 + 12 * SYLLABLE_S
    assert min(m.confidence for m in vowels if 0.8 < m.pts_ns / 1e9 < spoken_s - 0.1) > 0.999
    for name in ("jawOpen", "mouthSmileLeft"):
        assert syllable(vowels, name, 10) > 0.7 * syllable(vowels, name, 6)


@pytest.mark.parametrize("gain", [0.15, 0.4, 3.0])
def test_quiet_and_loud_voices_move_the_mouth_alike(gain: float, vowels: list[Motion]) -> None:
    other = hear(babble(*(AH, HUM, EE, OO) * 3, gain=gain))
    for index in range(8, 12):
        for name in ("jawOpen", "mouthPucker", "mouthSmileLeft", "mouthFunnel"):
            assert abs(syllable(other, name, index) - syllable(vowels, name, index)) < 0.07, (name, index)


def test_both_sides_move_alike(vowels: list[Motion]) -> None:
    for name in ("mouthSmile", "mouthStretch", "mouthPress", "mouthLowerDown", "mouthUpperUp"):
        left, right = ([m[name + side] for m in vowels] for side in ("Left", "Right"))
        assert left == right
        assert max(left) > 0.02


STRANGE = {
    "digital silence": silence(1.0),
    "clipping": np.clip(sung(AH, 1.5, 40.0), -1, 1),
    "far over full scale": sung(AH, 1.5, 1e4),
    "direct current": np.full(RATE_HZ, 0.8),
    "a step": np.concatenate([silence(0.5), np.ones(RATE_HZ)]),
    "a click": np.eye(1, RATE_HZ, 5000)[0],
    "denormals": sung(AH, 1.0, 1e-40),
    "full-scale noise": np.random.default_rng(0).uniform(-1, 1, RATE_HZ),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_strange_sound_gives_numbers_in_range(kind: str) -> None:
    values = np.array([vector(m) for m in hear(STRANGE[kind])])
    assert len(values) > 40
    assert np.isfinite(values).all()
    assert values.min() >= 0.0
    assert values.max() <= 1.0


def test_direct_current_is_silence() -> None:
    voice = babble(AH, OO, gain=0.05)
    plain, offset = hear(voice), hear(voice + 0.9)
    settled = [np.abs(vector(a) - vector(b)).max() for a, b in zip(plain, offset, strict=True) if a.pts_ns > 9e8]
    assert max(settled) < 0.02
    assert not np.array([vector(m) for m in hear(np.full(RATE_HZ * 2, 0.5))[10:]]).any()


def test_the_example_speaks_and_closes_in_its_pause(example: tuple[np.ndarray, int]) -> None:
    samples, rate_hz = example
    motions = hear(samples, rate_hz=rate_hz)
    loud = np.flatnonzero(np.abs(samples) > 0.01) / rate_hz
    quiet = int(np.argmax(np.diff(loud)))
    pause_start_s, pause_end_s = loud[quiet], loud[quiet + 1]
    assert pause_end_s - pause_start_s > 0.5
    for start_s, end_s in ((loud[0], pause_start_s), (pause_end_s, loud[-1])):
        jaw = over(motions, "jawOpen", start_s, end_s)
        assert jaw.max() > 0.5
        crossings = np.flatnonzero(np.diff(np.sign(jaw - 0.3)) > 0)
        assert len(crossings) >= 4  # syllables
    assert over(motions, "jawOpen", pause_start_s + 0.3, pause_end_s - 0.1).max() < 0.02
    assert over(motions, "mouthNeutral", loud[0] + 0.3, loud[-1]).min() == 1.0  # the pause is part of the speech
    assert over(motions, "browInnerUp", 0.0, 9.0).max() > 0.1
    assert max(m.rotation[0] for m in motions) > np.deg2rad(0.5)
