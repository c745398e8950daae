"""`agent calibrate --speech` and `agent run --profile` with what it learnt, as a person uses them."""

import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.io import wavfile
from scipy.signal import resample_poly

from agent import calibrate_speech, face_source
from agent.cli import main
from agent.config.calibrate import Calibrate
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from calibration.profile_file import load_profile, save_profile
from calibration.reading import PASSAGES
from models.audio.lip_control import LipControl
from models.audio.speaker_layer import INPUTS, SpeakerLayer
from models.audio.speech_mouth import SpeechToMouth, network_digest
from models.face import load_face_model
from models.motion import INDEX, Motion
from runtime.engines.builtin import BuiltinEngine
from tests.agent.clips import decode, make_clip
from tests.agent.command import SMALL
from tests.browser import reads
from tests.speakers import RATE_HZ, read_aloud

if TYPE_CHECKING:
    from playwright.sync_api import Page

FPS = 25
SIDE = 300


def speaker() -> SpeakerLayer:
    """Somebody whose lips part further than others'."""
    weights = np.zeros((4, 3, INPUTS), np.float32)
    weights[:, 0, 0] = weights[:, 2, 0] = 0.8
    return SpeakerLayer(network_digest(), weights)


@pytest.fixture(scope="module")
def sound(speech_wav: Path) -> np.ndarray:
    return read_aloud(speech_wav, (1.0, 1.1))


@pytest.fixture(scope="module")
def pictures(portrait_png: Path, sound: np.ndarray) -> list[np.ndarray]:
    """The bundled portrait saying it with that speaker's mouth."""
    engine, lips = BuiltinEngine(), LipControl(load_face_model())
    avatar = engine.prepare(prepare_portrait(read_photo(portrait_png)[:SIDE, 80 : 80 + SIDE], (SIDE, SIDE)))
    ear = SpeechToMouth(speaker=speaker())
    frames = ear.push(np.concatenate([sound, np.zeros(1280, np.float32)]))[4:]  # frame k: instant 20 k ms, and 20 more
    out = []
    for k in range(len(sound) * FPS // RATE_HZ - 1):
        mouth = lips.expression(frames[max(2 * k - 1, 0)])
        blink = float(k % 60 == 30)
        mouth[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = blink
        out.append(engine.render(avatar, Motion(0, mouth)))
    return out


@pytest.fixture(scope="module")
def clip(pictures: list[np.ndarray], sound: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "me.mp4"
    return make_clip(path, pictures, FPS, resample_poly(sound, 3, 1).astype(np.float32)[:, None])


@pytest.fixture(scope="module")
def profile(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "me.profile.json"
    assert main(["calibrate", "--speech", "--camera", str(clip), "--output", str(path)]) == 0
    return path


def calibrate(*arguments: object) -> int:
    return main(["calibrate", "--speech", *map(str, arguments)])


def gap(speaker: SpeakerLayer | None, sound: np.ndarray) -> np.ndarray:
    return np.array([frame["lipGap"] for frame in SpeechToMouth(speaker=speaker).push(sound)])


def test_a_recording_teaches_the_speakers_mouth(profile: Path, sound: np.ndarray) -> None:
    learnt = load_profile(profile)
    assert learnt.frames > 300 and learnt.speech is not None
    plain, own, learnt_gap = (gap(who, sound) for who in (None, speaker(), learnt.speech))
    assert np.abs(learnt_gap - own).mean() < 0.6 * np.abs(plain - own).mean()
    assert learnt_gap.std() > 1.1 * plain.std()


def test_it_is_added_to_a_profile_and_what_was_gained_is_said(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "ann.profile.json"
    assert main(["calibrate", "--camera", str(clip), "--output", str(out)]) == 0
    before = load_profile(out)
    capsys.readouterr()
    assert calibrate("--camera", clip, "--output", out) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("heard and saw 1") and "of speech; the picture comes" in said[0]
    assert said[1].startswith("error on the last third") and said[2] == f"wrote {out}"
    after = load_profile(out)
    assert before.speech is None and after.speech is not None
    assert (after.name, after.made, after.frames) == (before.name, before.made, before.frames)
    np.testing.assert_array_equal(after.neutral, before.neutral)


def test_a_run_uses_it(
    portrait_png: Path, sound: np.ndarray, profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = tmp_path / "said.wav"
    wavfile.write(said, RATE_HZ, sound[: 3 * RATE_HZ])

    def shown(*more: object) -> np.ndarray:
        out = tmp_path / "o.mp4"
        arguments = ["run", "--portrait", portrait_png, "--microphone", said, "--output", out, *SMALL, *more]
        assert main([str(argument) for argument in arguments]) == 0
        return np.stack(decode(out)[0]).astype(int)

    plain, own = shown(), shown("--profile", profile)
    assert np.abs(own - plain).max() > 40
    foreign = tmp_path / "foreign.json"
    known = load_profile(profile)
    assert known.speech is not None
    save_profile(replace(known, speech=replace(known.speech, network="0" * 64)), foreign)
    capsys.readouterr()
    np.testing.assert_array_equal(shown("--profile", foreign), plain)
    assert "learnt for another speech network and is left out" in capsys.readouterr().err


def test_what_does_not_fit_is_refused_and_the_profile_stays(
    clip: Path, profile: Path, sound: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "me.json"
    mine.write_bytes(profile.read_bytes())
    other, silent = tmp_path / "other.wav", tmp_path / "silent.wav"
    wavfile.write(other, RATE_HZ, np.roll(sound, round(3.3 * RATE_HZ)))
    wavfile.write(silent, RATE_HZ, np.zeros(len(sound), np.float32))
    mute = make_clip(tmp_path / "mute.mp4", decode(clip)[0][:10], FPS)
    (tmp_path / "cut.json").write_bytes(profile.read_bytes()[:1000])
    for arguments, message in [
        (["--camera", clip, "--microphone", other, "--output", mine], "does not move with the sound"),
        (["--camera", clip, "--microphone", silent, "--output", mine], "0.0 s of speech"),
        (["--camera", mute, "--output", mine], "holds no sound"),
        (["--camera", mute, "--microphone", other, "--output", mine], "a face from the front in 10 frames"),
        (["--camera", clip, "--microphone", "No Such Microphone", "--output", mine], "give two files or two devices"),
        (["--camera", clip, "--fov", "70", "--output", mine], "--fov has no use"),
        (["--camera", clip, "--output", tmp_path / "cut.json"], "cut off"),
    ]:
        capsys.readouterr()
        assert calibrate(*arguments) == 2, message
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and message in lines[0], lines
    assert mine.read_bytes() == profile.read_bytes()
    assert main(["calibrate", "--camera", str(clip), "--microphone", str(other), "--output", str(mine)]) == 2
    assert "--microphone has no use without --speech" in capsys.readouterr().err


def test_a_profile_of_the_face_alone_is_refused_where_nothing_is_seen(
    portrait_png: Path, speech_wav: Path, profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    face = tmp_path / "face.json"
    save_profile(replace(load_profile(profile), speech=None), face)
    arguments = ["run", "--portrait", portrait_png, "--microphone", speech_wav, "--profile", face]
    assert main([*map(str, arguments), "--output", str(tmp_path / "o.mp4")]) == 2
    assert "knows the face and not the voice" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["face.json"]


def test_the_page_shows_what_to_read_and_ends_by_itself(
    clip: Path, tmp_path: Path, page: "Page", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clip comes as fast as it is looked at, so that a busy machine misses none of it."""
    for module in (face_source, calibrate_speech):
        monkeypatch.setattr(module, "Paced", lambda source, *_: source)
    lines: list[str] = []
    ready = threading.Event()

    def say(line: str) -> None:
        lines.append(line)
        ready.set()

    config = Calibrate(camera=str(clip), output=tmp_path / "p.json", realtime=True, speech=True)
    calibration = calibrate_speech.SpeechCalibration(config)
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.extend(calibration.guide(say)))
    thread.start()
    assert ready.wait(30)
    page.goto(lines[0].split()[1])
    page.wait_for_function("() => document.getElementById('state').textContent === 'Done'", timeout=80_000)
    reads(page, hint="Your profile is p.json. You can close this page.")
    assert re.fullmatch(r"\d+ of 20 seconds of speech heard and seen\.", page.locator("#note").inner_text())
    assert page.locator("#steps li span").all_inner_texts() == [passage.title for passage in PASSAGES]
    thread.join(20)
    assert not thread.is_alive()
    assert any(line.startswith("error on the last third") for line in told)
    assert load_profile(tmp_path / "p.json").speech is not None
    assert lines[1].endswith(PASSAGES[int(lines[1][0]) - 1].hint)
