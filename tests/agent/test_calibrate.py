"""`agent calibrate` and `agent run --profile`, as a person uses them; the guiding page in a real browser."""

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from agent.calibrate import Calibration
from agent.cli import main
from agent.config.calibrate import Calibrate
from calibration.guide import STEPS
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from calibration.profile_file import load_profile
from models.motion import Motion, expression
from runtime.engines.builtin import BuiltinEngine
from tests.agent.clips import decode, make_clip
from tests.agent.command import SMALL, agent_process
from tests.browser import reads

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def pictures(portrait_png):
    """Three seconds of the bundled portrait with its lips together, blinking, opening its mouth, turning."""
    photo = read_photo(portrait_png)[:300, 80:380]
    engine = BuiltinEngine()
    avatar = engine.prepare(prepare_portrait(photo, (300, 300)))

    def at(k):
        shapes, turn = {"mouthNeutral": 1.0}, np.zeros(3, np.float32)
        if k in (5, 6):
            shapes |= {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
        elif k in range(10, 14):
            shapes |= {"jawOpen": 1.0}
        elif k >= 14:
            turn[1] = 0.12 * np.sin(k / 25 * 2 * np.pi)
        return engine.render(avatar, Motion(0, expression(**shapes), turn))

    second = [at(k) for k in range(25)]
    return second * 3


@pytest.fixture(scope="module")
def clip(pictures, tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip") / "me.mp4", pictures, 25)


@pytest.fixture(scope="module")
def somebody_else(pictures, tmp_path_factory):
    """The same pictures, the face a quarter broader."""
    broad = [cv2.resize(picture, (300, 240)) for picture in pictures]
    return make_clip(tmp_path_factory.mktemp("clip") / "other.mp4", broad, 25)


@pytest.fixture(scope="module")
def profile(clip, tmp_path_factory):
    path = tmp_path_factory.mktemp("profile") / "me.profile.json"
    assert main(["calibrate", "--camera", str(clip), "--output", str(path)]) == 0
    return path


def test_a_recording_becomes_a_profile_and_what_was_missing_is_said(clip, tmp_path, capfd):
    out = tmp_path / "ann.profile.json"
    assert main(["calibrate", "--camera", str(clip), "--output", str(out), "--fov", "70"]) == 0
    said = capfd.readouterr().err.splitlines()
    assert said[0].startswith("learnt from 75 frames with a face: rest") and "a blink" in said[0]
    assert re.search("never saw .*a smile.*raised brows", said[1])
    assert said[2:] == [f"wrote {out}"]
    profile = load_profile(out)
    assert (profile.name, profile.field_of_view_deg, profile.field_of_view_source) == ("ann", 70.0, "given")


def test_a_field_of_view_that_nobody_gave_is_marked(profile, clip, tmp_path, capsys):
    assert load_profile(profile).field_of_view_source == "default"
    assert main(["calibrate", "--camera", str(clip), "--output", str(tmp_path / "a.json"), "--name", "Ann"]) == 0
    assert "field of view is taken to be 65 degrees" in capsys.readouterr().err
    assert load_profile(tmp_path / "a.json").name == "Ann"


def test_settings_that_cannot_be(clip, wall, portrait_png, tmp_path, capsys):
    (tmp_path / "photo.json").write_text("not mine")
    out = ["--output", tmp_path / "p.json"]
    for arguments, message in [
        (["--camera", clip, *out, "--fov", "5"], "--fov 5: give 20 to 150"),
        (["--camera", clip, *out, "--fov", "nan"], "--fov nan"),
        (["--camera", clip, "--output", tmp_path / "no" / "p.json"], "does not exist; make it"),
        (["--camera", clip, "--output", tmp_path], "is a folder"),
        (["--camera", clip, "--output", tmp_path / "photo.json"], "is not a profile; choose another name"),
        (["--camera", clip, "--output", clip], "is not a profile; choose another name"),
        (["--camera", tmp_path / "none.mp4", *out], "no such file"),
        (["--camera", "No Such Camera", *out], "No Such Camera"),
        (["--camera", "No Such Camera", "--realtime", *out], "--realtime plays a file"),
        (["--camera", wall, *out], "seen in 0 frames"),
        (["--camera", portrait_png, *out], "is a single picture, in which nobody moves"),
    ]:
        before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
        assert main(["calibrate", *map(str, arguments)]) == 2, message
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and message in lines[0], lines
        assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.fixture
def wall(tmp_path):
    return make_clip(tmp_path / "wall.mp4", [np.full((96, 96, 3), 90, np.uint8)] * 10, 25)


def run(portrait_png, camera, profile, *more):
    return main(
        ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(camera)]
        + ["--profile", str(profile), *SMALL, *map(str, more)]
    )


def test_a_run_with_the_profile_moves_from_its_first_picture(portrait_png, clip, profile, tmp_path):
    out = tmp_path / "o.mp4"
    assert run(portrait_png, clip, profile, "--output", out) == 0
    shown, _ = decode(out)
    assert len(shown) == 75
    eyes = np.stack([picture[20:40] for picture in shown[:10]]).astype(int)
    assert np.abs(eyes[6] - eyes[2]).mean() > np.abs(eyes[1] - eyes[2]).mean() + 0.2, "the first blink is shown"


@pytest.mark.parametrize("pace", ["--offline", "--realtime"])
def test_somebody_else_is_refused_before_an_output_is_opened(
    portrait_png, somebody_else, profile, tmp_path, capsys, pace
):
    assert run(portrait_png, somebody_else, profile, "--output", tmp_path / "o.mp4", pace) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and "not the face of the profile of me" in lines[0]
    assert list(tmp_path.iterdir()) == []


def test_profiles_and_motion_in_the_wrong_place(portrait_png, speech_wav, clip, profile, tmp_path, capsys):
    ready = ["run", "--portrait", str(portrait_png), "--output", str(tmp_path / "o.mp4")]
    spoken = [*ready, "--microphone", str(speech_wav)]
    seen = [*ready, "--mode", "video", "--camera", str(clip)]
    (tmp_path / "cut.json").write_bytes(profile.read_bytes()[:1000])
    for arguments, message in [
        ([*spoken, "--profile", str(profile)], "knows the face and not the voice"),
        ([*spoken, "--motion", "absolute"], "--motion has no use in --mode audio"),
        ([*seen, "--profile", str(tmp_path / "none.json")], "no such file"),
        ([*seen, "--profile", str(tmp_path / "cut.json")], "cut off"),
        ([*seen, "--profile", str(portrait_png)], "is not a profile"),
        ([*seen, "--profile", str(profile), "--report", str(profile)], "is an input"),
    ]:
        assert main(arguments) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and message in lines[0], lines
    assert [path.name for path in tmp_path.iterdir()] == ["cut.json"]


def test_absolute_motion_differs_from_relative(portrait_png, clip, tmp_path):
    shown = []
    for motion in ("relative", "absolute"):
        out = tmp_path / f"{motion}.mp4"
        arguments = ["run", "--portrait", str(portrait_png), "--mode", "video", "--camera", str(clip), *SMALL]
        assert main([*arguments, "--motion", motion, "--output", str(out)]) == 0
        shown.append(decode(out)[0][0].astype(int))
    assert np.abs(shown[0] - shown[1]).mean() > 1.0


class Guided:
    """A guided calibration with a clip as its camera, in a thread."""

    def __init__(self, clip: Path, output: Path) -> None:
        self.lines: list[str] = []
        self.failure: BaseException | None = None
        self._ready = threading.Event()
        self.calibration = Calibration(Calibrate(camera=str(clip), output=output, realtime=True))
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self._ready.wait(30)
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.lines[0])
        assert found is not None
        self.url, self.port = found[0], int(found[1])

    def _run(self) -> None:
        def say(line: str) -> None:
            self.lines.append(line)
            self._ready.set()

        try:
            self.calibration.guide(say)
        except BaseException as error:
            self.failure = error

    def get(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path)
        return connection.getresponse()


@pytest.fixture
def long_clip(pictures, tmp_path):
    return make_clip(tmp_path / "long.mp4", pictures * 10, 25)


@pytest.mark.alone
def test_the_page_guides_draws_and_takes_the_buttons(long_clip, tmp_path, page: "Page"):
    guided = Guided(long_clip, tmp_path / "p.json")
    page.goto(guided.url)
    reads(page, state="Live")
    assert page.locator("#steps li span").all_inner_texts() == [step.title for step in STEPS]
    page.wait_for_function(DRAWN)
    reads(page, title=STEPS[2].title)  # it rested and blinked
    assert [page.locator("#steps li").nth(i).get_attribute("data-state") for i in range(3)] == ["done", "done", "now"]
    page.locator("#again").click()
    reads(page, title=STEPS[1].title)
    while (title := page.locator("#title").inner_text()) != STEPS[-1].title:
        page.locator("#skip").click()
        page.wait_for_function("title => document.getElementById('title').textContent !== title", arg=title)
    page.locator("#skip").click()
    reads(page, state="Done", title="Done", hint="Your profile is p.json. You can close this page.")
    assert page.locator("#skip").is_disabled()
    assert page.locator("img, video").count() == 0
    guided.thread.join(20)
    assert guided.failure is None and not guided.thread.is_alive()
    assert load_profile(tmp_path / "p.json").frames >= 50
    assert guided.lines[1].startswith(f"1 of {len(STEPS)}: {STEPS[0].title}")


DRAWN = """() => {
    const canvas = document.getElementById("drawing");
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return data.some(value => value > 0);
}"""


def test_only_landmarks_leave(long_clip, tmp_path):
    guided = Guided(long_clip, tmp_path / "p.json")
    try:
        state = {}
        while not state.get("face"):
            state = json.loads(guided.get("/state.json").read())
        assert set(state) == {"steps", "face", "aspect", "note", "ended", "run"}
        assert set(state["face"]) == {"dots", "lines"}
        assert np.asarray(state["face"]["dots"]).shape == (468, 2)
        assert guided.get("/stream.mjpeg").status == 404
        assert guided.get("/skip").status == 405
    finally:
        guided.calibration.stop()
        guided.thread.join(20)
    assert isinstance(guided.failure, KeyboardInterrupt)
    assert not (tmp_path / "p.json").exists()


def test_a_guided_calibration_without_a_face_fails_on_the_page_too(tmp_path, page: "Page"):
    clip = make_clip(tmp_path / "empty.mp4", [np.full((96, 96, 3), 90, np.uint8)] * 75, 25)
    guided = Guided(clip, tmp_path / "p.json")
    page.goto(guided.url)
    reads(page, notice_title="No face in sight")
    reads(page, state="Failed", title="It did not work")
    guided.thread.join(20)
    assert "seen in 0 frames" in str(guided.failure)


def test_ctrl_c_ends_it_and_writes_nothing(long_clip, tmp_path):
    arguments = ["calibrate", "--camera", long_clip, "--realtime", "--output", tmp_path / "p.json"]
    with agent_process(*map(str, arguments)) as process:
        assert "open http://127.0.0.1:" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "agent: interrupted"
    assert not (tmp_path / "p.json").exists()


def test_mediapipe_says_nothing_of_its_own(clip, tmp_path):
    code = "from agent.program import program; program()"
    command = [sys.executable, "-c", code, "calibrate", "--camera", str(clip), "--output", str(tmp_path / "p.json")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=100).stderr
    assert "landmark_projection" not in said
    assert said.startswith("learnt from")
