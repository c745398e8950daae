"""Which speech network moves the face of an engine that has one, and that it is said."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.fill import fill_tensors
from safetensors.torch import save_file

from agent import speech_driver
from agent.config.run import Run
from agent.speech_driver import open_speech
from models.audio import hubert_file
from models.audio.hubert import Hubert, HubertSize
from models.audio.speaker_layer import SpeakerLayer
from models.audio.speech_mouth import network_digest
from models.bfm import MODEL_FILE
from models.errors import InputError
from models.real3d import speech_stream
from models.real3d.audio_to_motion import FEATURES, AudioToMotion
from models.real3d.needs import AUDIO, HUBERT, VIDEO
from models.real3d.speech_stream import Delivery
from models.talk3d import speech_scores
from models.talk3d.needs import SPEECH
from models.weight_part import Part
from models.weights import Missing, Weights
from runtime.drivers.paper_speech import PaperSpeech
from runtime.drivers.speech_face import SpeechFace
from runtime.sound import Sound
from tests.models.real3d.released import save_face_model

MANIFEST = Path(__file__).parent.parent / "models" / "real3d" / "audio2secc_vae.json"
TINY = HubertSize(sound=16, hidden=FEATURES, layers=1, heads=4, inner=64, position_kernel=16)
REAL3D = Run(portrait=Path("me.png"), engine="real3d")
TALK3D = replace(REAL3D, engine="talk3d")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the paper's speech needs of what was imported."""
    folder = tmp_path_factory.mktemp("weights")
    save_file(fill_tensors(json.loads(MANIFEST.read_text())), folder / AUDIO.files[0])
    save_face_model(folder / MODEL_FILE)
    return folder


@pytest.fixture(autouse=True)
def cpu(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """No GPU; everything was imported, HuBERT being a small one."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(hubert_file, "load_hubert", lambda path: Hubert(TINY).eval())
    monkeypatch.setattr(speech_driver, "find", lambda engine: Weights(engine, folder, ()))


def test_files_are_made_with_the_papers_speech() -> None:
    told: list[str] = []
    driver = open_speech(REAL3D, True, None, told.append)
    assert isinstance(driver, PaperSpeech)
    assert told == ["real3d's own speech network moves the face, on the CPU: that takes longer than the speech"]


def test_a_live_run_on_a_cpu_keeps_the_agents() -> None:
    told: list[str] = []
    assert isinstance(open_speech(REAL3D, False, None, told.append), SpeechFace)
    (line,) = told
    assert (
        "the agent's own speech network moves the face" in line and "slower than speech without an NVIDIA GPU" in line
    )


@pytest.mark.parametrize(
    ("absent", "named"),
    [
        ((AUDIO,), "no audio-to-motion model ("),
        ((HUBERT,), "no speech features ("),
        ((AUDIO, HUBERT), "no audio-to-motion model and no speech features ("),
    ],
)
@pytest.mark.parametrize("offline", [True, False])
def test_without_the_papers_speech_the_agents_drives(
    absent: tuple[Part, ...], named: str, offline: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_driver, "find", lambda engine: Weights(engine, folder, absent))
    told: list[str] = []
    assert isinstance(open_speech(REAL3D, offline, None, told.append), SpeechFace)
    (line,) = told
    assert "the agent's own speech network moves the face" in line and named in line


def test_weights_that_went_away_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_driver, "find", lambda engine: Missing(engine, (VIDEO,), ("is missing",)))
    with pytest.raises(InputError, match="real3d is not ready: its video model is missing"):
        open_speech(REAL3D, True, None, lambda line: None)


@pytest.mark.parametrize("offline", [True, False])
def test_other_engines_have_no_choice_and_say_nothing(offline: bool) -> None:
    told: list[str] = []
    assert isinstance(open_speech(Run(portrait=Path("me.png")), offline, None, told.append), SpeechFace)
    assert told == []


def test_a_live_run_on_a_gpu_has_the_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []

    def to(network: torch.nn.Module, device: str) -> torch.nn.Module:
        moved.append(device)
        return network

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.nn.Module, "to", to)
    told: list[str] = []
    assert isinstance(open_speech(REAL3D, False, None, told.append), PaperSpeech)
    assert told == ["real3d's own speech network moves the face, on a GPU"]
    assert moved == ["cuda", "cuda"]


def test_a_profile_of_the_agents_network_is_left_out_aloud() -> None:
    speaker = SpeakerLayer(network_digest(), np.zeros((4, 3, 98), np.float32))
    told: list[str] = []
    open_speech(REAL3D, True, speaker, told.append)
    assert told[1:] == ["the profile's mouth was learnt for the agent's own speech network, and is left out"]
    told.clear()
    open_speech(REAL3D, False, speaker, told.append)
    assert len(told) == 1, "the agent's own network has it"


def test_amplitude_temperature_and_seed_reach_the_papers_network(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Delivery] = []

    class Stream:
        def __init__(self, _hubert: Hubert, _network: AudioToMotion, delivery: Delivery) -> None:
            given.append(delivery)

        def push(self, _samples: np.ndarray) -> np.ndarray:
            return np.zeros((0, 64), np.float32)

    monkeypatch.setattr(speech_stream, "SpeechStream", Stream)
    asked = replace(REAL3D, mouth_amplitude=1.2, temperature=0.3, seed=5)
    driver = open_speech(asked, True, None, lambda line: None)
    driver.push(Sound(np.zeros((320, 1), np.float32), 16_000, 0))
    assert given == [Delivery(mouth_amp=0.45 * 1.2, temperature=0.3, seed=5)]


def test_talk3d_hears_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    size = HubertSize(sound=16, hidden=32, layers=1, heads=4, inner=64, position_kernel=16)
    monkeypatch.setattr(speech_scores, "load_speech_scores", lambda path: speech_scores.SpeechScores(size).eval())
    told: list[str] = []
    driver = open_speech(TALK3D, True, None, told.append)
    assert told == ["talk3d's own speech network moves the face, on the CPU: that takes longer than the speech"]
    sound = 0.1 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    motions = driver.push(Sound(sound[:, None], 16_000, 0))
    assert [motion.pts_ns for motion in motions] == [40_000_000 * k for k in range(len(motions))]
    assert len(motions) > 5
    heard = [motion.speech for motion in motions]
    assert all(each is not None and each.shape == (8, 44, 16) and np.isfinite(each).all() for each in heard)
    assert not np.array_equal(heard[0], heard[-1])


def test_without_its_speech_network_the_lips_of_talk3d_stay(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(speech_driver, "find", lambda engine: Weights(engine, folder, (SPEECH,)))
    told: list[str] = []
    assert isinstance(open_speech(TALK3D, True, None, told.append), SpeechFace)
    assert told == [f"{SPEECH.instead}: talk3d has no speech network (agent models list)"]
