"""PaperSpeech: the paper's mouth at the right instants, everything else as `SpeechFace` has it."""

import json
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.face_file import bfm_content
from golden.fill import fill_tensors
from scipy.io import savemat

from calibration.mouth_fit import MouthFit
from models.audio.hubert import Hubert, HubertSize
from models.bfm import load_bfm
from models.face import load_face_model
from models.motion import MOUTH, Motion
from models.real3d.audio_to_motion import FEATURES, AudioToMotion, load_audio_to_motion
from models.real3d.speech_stream import LOOK_AHEAD_NS, SpeechStream
from models.transfer import expression_transfer
from runtime.drivers.paper_speech import PaperSpeech
from runtime.drivers.speech_face import SpeechFace
from runtime.sound import Sound

RATE_HZ = 16_000
HOP = 320
HOP_NS, FRAME_NS = 20_000_000, 40_000_000
MODEL = load_face_model()
MANIFEST = Path(__file__).parent.parent / "models" / "real3d" / "audio2secc_vae.json"

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network() -> AudioToMotion:
    return load_audio_to_motion(fill_tensors(json.loads(MANIFEST.read_text())))


@pytest.fixture(scope="module")
def hubert() -> Hubert:
    torch.manual_seed(0)
    return Hubert(HubertSize(sound=16, hidden=FEATURES, layers=1, heads=4, inner=64, position_kernel=16)).eval()


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> MouthFit:
    path = tmp_path_factory.mktemp("bfm") / "BFM_model_front.mat"
    savemat(path, bfm_content(MODEL))
    return MouthFit(expression_transfer(load_bfm(path), MODEL), MODEL)


def speech_of(hubert: Hubert, network: AudioToMotion, fit: MouthFit) -> PaperSpeech:
    return PaperSpeech(
        lambda: SpeechStream(hubert, network), LOOK_AHEAD_NS, lambda heard, mouth: heard.motion(fit(mouth))
    )


@pytest.fixture
def driver(hubert: Hubert, network: AudioToMotion, fit: MouthFit) -> PaperSpeech:
    return speech_of(hubert, network, fit)


@pytest.fixture(scope="module")
def example(speech_wav: Path) -> tuple[np.ndarray, int]:
    """A second of speech."""
    with wave.open(str(speech_wav)) as file:
        raw, rate_hz = file.readframes(file.getnframes()), file.getframerate()
    samples = np.frombuffer(raw, "<i2").astype(np.float32) / 32768
    start = int(np.flatnonzero(np.abs(samples) > 0.01)[0])
    return samples[start : start + rate_hz], rate_hz


def hear(
    driver: PaperSpeech | SpeechFace, samples: np.ndarray, rate_hz: int, block: int = 0, start_ns: int = 0
) -> list[Motion]:
    """The motions for sound given in blocks of so many samples; 0 is all at once."""
    motions: list[Motion] = []
    for start in range(0, len(samples), block or len(samples)):
        part = samples[start : start + (block or len(samples)), None]
        motions += driver.push(Sound(part, rate_hz, start_ns + round(start * 1e9 / rate_hz)))
    driver.close()
    return motions


def voice(seconds: float) -> np.ndarray:
    return 0.05 * np.random.default_rng(3).standard_normal(round(seconds * RATE_HZ)).astype(np.float32)


def vector(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.expression, motion.rotation, [motion.confidence]])


def test_a_motion_every_40_ms_as_soon_as_its_look_ahead_is_heard(driver: PaperSpeech) -> None:
    start_ns, told = 9_876_543_210, []
    sound = voice(0.6)
    for hop in range(len(sound) // HOP):
        block = Sound(sound[hop * HOP : (hop + 1) * HOP, None], RATE_HZ, start_ns + hop * HOP_NS)
        for motion in driver.push(block):
            assert motion.pts_ns + driver.look_ahead_ns == block.end_ns
            told.append(motion.pts_ns)
    assert told == [start_ns + k * FRAME_NS for k in range(10)]


def test_the_cut_into_blocks_does_not_show(
    hubert: Hubert,
    network: AudioToMotion,
    fit: MouthFit,
    example: tuple[np.ndarray, int],
) -> None:
    samples, rate_hz = example
    whole, cut = (hear(speech_of(hubert, network, fit), samples[:rate_hz], rate_hz, size) for size in (0, 1001))
    assert len(whole) == 19  # the resampler waits for 2 ms
    assert [m.pts_ns for m in cut] == [m.pts_ns for m in whole]
    assert all(np.array_equal(vector(a), vector(b)) for a, b in zip(cut, whole, strict=True))


def test_the_mouth_is_the_papers(driver: PaperSpeech, hubert: Hubert, network: AudioToMotion, fit: MouthFit) -> None:
    sound = voice(1.0)
    motions = hear(driver, sound, RATE_HZ)
    expressions = SpeechStream(hubert, network).push(sound)
    expected = np.array([fit(expression) for expression in expressions])
    mouth = np.array([m.expression for m in motions])[:, MOUTH]
    np.testing.assert_allclose(mouth, expected[:, MOUTH], atol=1e-4)
    assert np.ptp(mouth, axis=0).max() > 0.05, "it moves"
    assert mouth.min() >= 0 and mouth.max() <= 1
    assert {m["mouthNeutral"] for m in motions} == {1.0}


def test_the_rest_is_as_with_the_agents_own_mouth_at_the_same_instants(
    driver: PaperSpeech, example: tuple[np.ndarray, int]
) -> None:
    samples, rate_hz = example
    samples = np.concatenate([samples, np.zeros(11 * rate_hz // 5, np.float32)])
    motions = hear(driver, samples, rate_hz)
    own = {m.pts_ns: m for m in hear(SpeechFace(MODEL), samples, rate_hz)}
    for motion in motions:
        other = own[motion.pts_ns]
        np.testing.assert_array_equal(motion.expression[~MOUTH], other.expression[~MOUTH])
        np.testing.assert_array_equal(motion.rotation, other.rotation)
        assert motion.confidence == other.confidence
    assert max(m.confidence for m in motions) == 1.0
    assert max(np.abs(m.rotation).max() for m in motions) > 0.003
    assert motions[-1].confidence == 0.0, "silence eases out"


def test_after_a_gap_it_begins_anew(driver: PaperSpeech) -> None:
    sound, later_ns = voice(0.5), 60_000_000_000
    before = hear(driver, sound, RATE_HZ)
    after = hear(driver, sound, RATE_HZ, start_ns=later_ns)
    assert [m.pts_ns for m in after] == [later_ns + m.pts_ns for m in before]
    assert all(a.pts_ns < b.pts_ns for a, b in pairwise([*before, *after]))
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a.expression[MOUTH], b.expression[MOUTH])


def test_sound_that_is_no_number_is_silence(driver: PaperSpeech) -> None:
    sound = voice(0.8)
    sound[100:200], sound[300], sound[400] = np.nan, np.inf, -1e30
    assert np.isfinite([m.expression for m in hear(driver, sound, RATE_HZ)]).all()
