"""A video in, a person's networks out, at a tiny size; and every video and file of no use."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from golden.generator_pickle import save_generator

pytest.importorskip("torch")

import torch
from scipy.io import wavfile

from agent import personalise
from agent.begun import begun_folder, sole_use
from agent.cli import main
from agent.config.personalise import Personalise
from agent.config.run import Run
from agent.papers import load_talk3d
from agent.personalise import Personalising
from calibration.filmed import face_track
from calibration.photo import read_photo
from models.errors import AgentError, InputError
from models.metrics.sync import SyncNet
from models.talk3d import silence, speech_scores
from models.talk3d.importing import Given
from models.talk3d.needs import DRIVER_FILE, GENERATOR_FILE, SPEECH_FILE
from models.talk3d.personal.stage import Kept
from models.talk3d.speech_scores import SpeechScores, load_speech_scores
from models.weights import Weights, find, store_of
from tests.agent.clips import decode, make_clip
from tests.models.metrics.files import saved
from tests.models.talk3d import released
from tests.models.talk3d.personal import tiny

pytestmark = pytest.mark.timeout(600)  # half a minute of processor time, on whatever machine

SECONDS = 3.2
NOISE = 0.02 * np.random.default_rng(0).standard_normal((153_600, 1)).astype(np.float32)
QUICK = replace(
    tiny.SCHEDULE, inversion_steps=2, tuning_steps=2, first_frame_steps=1, delta_steps=2, drawing_steps=1, samples=6
)


def hears(path: Path) -> SpeechScores:
    """The network that was brought in is a small one."""
    return load_speech_scores(path, released.TINY)


@pytest.fixture(scope="module")
def speaking(tmp_path_factory, portrait_png, speech_wav):
    """The bundled portrait says the beginning of the bundled speech, drawn by the built-in engine."""
    folder = tmp_path_factory.mktemp("speaking")
    rate_hz, samples = wavfile.read(speech_wav)
    wavfile.write(folder / "said.wav", rate_hz, samples[: round(SECONDS * rate_hz)])
    video = folder / "me.mp4"
    run = ["run", "--portrait", portrait_png, "--microphone", folder / "said.wav", "--framing", "head"]
    assert main([*map(str, run), "--size", "192", "--liveliness", "2", "--output", str(video)]) == 0
    return video


@pytest.fixture
def generator(tmp_path):
    return save_generator(tmp_path / "ffhq.pkl", tiny.generator(), "G_ema")


@pytest.fixture
def data(tmp_path, monkeypatch, one_thread):
    monkeypatch.setenv("AGENT_DATA", str(tmp_path / "data"))
    speech = Given(wav2vec=released.save_speech(tmp_path / "model.safetensors"))
    released.bring(speech, store_of("talk3d"))
    for module in (speech_scores, silence):
        monkeypatch.setattr(module, "load_speech_scores", hears)
    return tmp_path / "data"


def made(config, schedule=QUICK, bar=lambda part, done, total: None):
    said = []
    task = Personalising(config, said.append, schedule, tiny.WIDTHS, hears)
    try:
        said += task.run(bar)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(said[-1]) from None
    return said


def refusal(kind, *given, **named):
    with pytest.raises(kind) as caught:
        made(*given, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_person_is_learnt_and_drawn(speaking, generator, data, tmp_path, capsys, speech_wav, portrait_png):
    said = made(Personalise(video=speaking, generator=generator))
    assert any("non-commercial" in line for line in said)
    assert any("in place of LPIPS" in line and "without SyncNet" in line for line in said)
    assert any(line.startswith("needs up to") and "MB are free" in line for line in said)
    assert any(
        re.match(r"takes about .+ \(inversion .+, delta .+\) here, once the video is read", line) for line in said
    )
    assert any(re.match(r"needs about .+ GB of memory; .+ GB are free$", line) for line in said)
    begun = next(number for number, line in enumerate(said) if "s of one face" in line)
    assert said.index(next(line for line in said if line.startswith("takes"))) < begun, "before the video is read"
    assert any("3 s is little" in line for line in said)
    assert not (data / "personal" / "me").exists(), "pictures of the person are not left behind"
    weights = find("talk3d:me")
    assert isinstance(weights, Weights)
    stock = store_of("talk3d:me").current()
    assert "me.mp4, personalised" in stock.files[DRIVER_FILE].source and stock.files[DRIVER_FILE].step == 2
    assert "non-commercial" in stock.files[GENERATOR_FILE].licence
    loaded = load_talk3d("talk3d:me")
    assert loaded.paper.layout.picture == (tiny.SIZE.picture, tiny.SIZE.picture, 3)
    turned = np.ptp(loaded.recording.angles, axis=0)
    assert len(loaded.recording.turns) == 80 and (turned[:2] > 0.5).all() and loaded.recording.eyes.max() > 0.5
    assert main(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["engines"]
    assert listed["talk3d:me"]["ready"] and not listed["talk3d"]["ready"]

    rate_hz, samples = wavfile.read(speech_wav)
    wavfile.write(tmp_path / "word.wav", rate_hz, samples[: rate_hz // 5])
    run = ["run", "--engine", "talk3d", "--person", "me", "--portrait", portrait_png, "--size", "64"]
    output = tmp_path / "a.mp4"
    assert main([*map(str, run), "--microphone", str(tmp_path / "word.wav"), "--output", str(output)]) == 0
    pictures, _ = decode(output)
    assert len(pictures) == 5 and np.std(pictures[0]) > 1
    assert main(["models", "remove", "talk3d", "--person", "me"]) == 0
    assert "is not ready" in str(find("talk3d:me").error()) and SPEECH_FILE in store_of("talk3d").current().files


def test_a_run_that_is_left_off_goes_on_and_other_work_is_refused(speaking, generator, data):
    config = Personalise(video=speaking, generator=generator, name="anna")

    def leave_at_once(part, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="nothing is kept"):
        made(config, bar=leave_at_once)
    assert not begun_folder("anna").exists()
    parts = []

    def leave(part, done, total):
        parts.append(part)
        assert 0 <= done <= total
        if (data / "personal" / "anna" / "inversion.done.pt").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="goes on with it, and agent models remove talk3d --person anna"):
        made(config, bar=leave)
    assert [part[:6] for part in dict.fromkeys(parts)] == [f"{k} of 8" for k in range(1, 6)]
    assert "begun with --frames" in refusal(InputError, config, replace(QUICK, frames=QUICK.frames + 1))
    assert Kept(data / "personal" / "anna").result("inversion") is not None
    assert "begun with another schedule" in refusal(InputError, config, replace(QUICK, delta_steps=3))
    other = replace(config, generator=save_generator(generator.with_name("b.pkl"), tiny.generator()))
    assert "begun with another generator" in refusal(InputError, other)
    said = made(config)
    assert any(line.startswith("goes on with what") for line in said)
    assert not any(line.startswith("inversion:") for line in said), "what is done is not done again"
    assert isinstance(find("talk3d:anna"), Weights)


def test_files_of_no_use_are_refused_before_the_video_is_looked_at(speaking, generator, data, tmp_path):
    config = Personalise(video=speaking, generator=generator)
    assert "no such file" in refusal(InputError, replace(config, video=tmp_path / "none.mp4"))
    assert f"{tmp_path}: a folder; give a video file" in refusal(InputError, replace(config, video=tmp_path))
    assert "there is no generator to begin with" in refusal(InputError, replace(config, generator=None))
    wrong = save_generator(tmp_path / "wrong.pkl", released.small_generator())
    assert "is not a generator of EG3D's kind" in refusal(InputError, replace(config, generator=wrong))
    assert "is not a file of weights" in refusal(InputError, replace(config, lpips=(speaking, speaking)))
    assert "be called ../x" in refusal(InputError, replace(config, name="../x"))
    assert not (data / "personal").exists()


def test_a_video_whose_name_is_no_persons_asks_for_one(tmp_path):
    said = refusal(InputError, Personalise(video=tmp_path / "My talk.mp4"))
    assert (
        said.startswith("a person cannot be called My talk") and "--name" in said and "digits, . - _, up to 60" in said
    )


def test_without_the_network_that_hears_nothing_is_begun(speaking, generator, tmp_path, monkeypatch):
    monkeypatch.setenv("AGENT_DATA", str(tmp_path / "empty"))
    assert "agent models import talk3d --wav2vec" in refusal(
        InputError, Personalise(video=speaking, generator=generator)
    )


def test_a_second_run_of_the_same_name_is_refused(generator, data, tmp_path):
    video = tmp_path / "me.mp4"
    video.write_bytes(b"never read")
    with sole_use(begun_folder("me")):
        assert "in use by another agent personalise" in refusal(
            InputError, Personalise(video=video, generator=generator, restart=True)
        )
        assert {path.name for path in begun_folder("me").iterdir()} == {"lock"}, "nothing was begun"


def test_a_full_disk_is_told_before(speaking, generator, data, monkeypatch):
    monkeypatch.setattr(personalise.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    assert "make room, or name another folder" in refusal(AgentError, Personalise(video=speaking, generator=generator))


def test_syncnet_counts_where_it_is_brought(speaking, generator, data, tmp_path):
    torch.manual_seed(0)
    config = Personalise(video=speaking, generator=generator, syncnet=saved(tmp_path, SyncNet().state_dict())[0])
    said = made(config, replace(QUICK, heard_after=-1, delta_steps=1))
    assert any("with SyncNet" in line for line in said)
    assert "with SyncNet" in store_of("talk3d:me").current().files[DRIVER_FILE].source
    assert "is not SyncNet" in refusal(InputError, replace(config, syncnet=saved(tmp_path, {"a": torch.zeros(1)})[0]))


def test_a_footage_of_an_older_program_is_made_anew(speaking, generator, data):
    config = Personalise(video=speaking, generator=generator)

    def leave(part, done, total):
        if "inversion" in part:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(config, bar=leave)
    heard = np.load(begun_folder("me") / "voice.npy")
    assert heard.shape == (80, 640) and np.abs(heard).max() > 1000
    (begun_folder("me") / "voice.npy").unlink()
    said = made(config)
    assert not any("goes on with" in line for line in said) and any("inversion: done" in line for line in said)


def test_a_video_without_speech_is_refused(portrait_png, generator, data, tmp_path):
    photo = read_photo(portrait_png)[:300, 80:380]
    video = make_clip(tmp_path / "mute.mp4", [photo] * 80, 25, samples=NOISE)
    said = refusal(InputError, Personalise(video=video, generator=generator))
    assert f"--video {video}: 0.0 s of speech are heard" in said


def test_videos_of_no_use_are_refused_before_they_are_read(portrait_png, generator, data, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("it takes minutes")

    for name in ("film", "listen", "try_out"):
        monkeypatch.setattr(personalise, name, never)
    photo, wall = read_photo(portrait_png)[:256, 100:356], np.full((96, 96, 3), 90, np.uint8)
    for name, images, samples, wanted in (
        ("wall", [wall] * 80, NOISE, "a face is seen in 0 of 1 pictures looked at"),
        ("two", [np.hstack([photo, photo])] * 80, NOISE, "several people are seen in 1 of 1 pictures looked at"),
        ("mute", [photo] * 80, None, "holds no sound"),
        ("short", [photo] * 20, NOISE[:38_400], "0.8 s are too short"),
    ):
        video = make_clip(tmp_path / f"{name}.mp4", images, 25, samples)
        assert wanted in refusal(InputError, Personalise(video=video, generator=generator)), name
        assert not begun_folder(name).exists(), "another video may have the name"


def test_a_refused_video_takes_nothing_from_what_was_begun_under_its_name(generator, data, tmp_path):
    video = make_clip(tmp_path / "anna.mp4", [np.full((96, 96, 3), 90, np.uint8)] * 80, 25)
    with sole_use(begun_folder("anna")):
        (begun_folder("anna") / "settings.json").write_text("{}")
    assert "was begun with another video" in refusal(InputError, Personalise(video=video, generator=generator))
    assert (begun_folder("anna") / "settings.json").exists()


def test_faces_are_judged() -> None:
    face = np.random.default_rng(0).uniform(0, 99, (478, 3)).astype(np.float32)
    track = face_track([face, None, face + 2, *[face] * 77], [False] * 20, 100, 80)
    np.testing.assert_allclose(track.faces[1], face[:, :2] + 1, rtol=1e-5)
    with pytest.raises(InputError, match="several people"):
        face_track([face] * 80, [True] * 3 + [False] * 17, 100, 80)
    with pytest.raises(InputError, match="too short"):
        face_track([face] * 20, [], 100, 80)


def test_a_person_goes_with_the_engine_that_draws_persons(portrait_png, speech_wav, capsys):
    run = ["run", "--portrait", str(portrait_png), "--microphone", str(speech_wav), "--person", "me"]
    assert main([*run, "--output", "x.mp4"]) == 2
    assert "leave --person out" in capsys.readouterr().err
    assert Run(portrait=portrait_png).person == ""
