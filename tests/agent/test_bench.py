"""`agent bench latency`: stamps that come through, and the measurement as a person types it."""

import json
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from urllib.error import URLError
from urllib.request import urlopen

import cv2
import numpy as np
import pytest

from agent.bench import latency
from agent.bench.figures import Figures, Spread, Steps
from agent.bench.reader import THUMB_PX, Reader, thumb_of
from agent.bench.stamp import CODES, HEIGHT_PX, draw_stamp, read_stamp
from agent.bench.stamping import Stamping
from agent.bench.steps import responses_ms
from agent.bench.synthetic import BLOCK, Emissions, SyntheticCamera, SyntheticMicrophone
from agent.cli import main
from agent.probe import Instrumented
from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.picture import Picture
from runtime.sinks.preview import Preview
from runtime.trail import Driven, Path, StepTimes, Trail
from tests.agent.command import wait_until

CODE = 0b1010_0111_0011_0001


def noise(width, height=96, seed=1):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def moved(image, pts_ns):
    return Picture(image, Motion(pts_ns), 0, Trail(Driven(Motion(pts_ns), pts_ns, pts_ns, pts_ns), pts_ns, pts_ns))


@pytest.mark.parametrize("width", [64, 128, 512, 1280])
@pytest.mark.parametrize("code", [0, CODE, CODES - 1])
def test_a_stamp_survives_what_outputs_do_to_pictures(width, code):
    image = noise(width)
    draw_stamp(image, code)
    jpeg = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 88])[1], cv2.IMREAD_COLOR)
    i420 = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), cv2.COLOR_YUV2BGR_I420)
    assert [read_stamp(seen[:, :, 1]) for seen in (image, jpeg, i420)] == [code] * 3
    assert (image[HEIGHT_PX:] == noise(width)[HEIGHT_PX:]).all()


def test_a_picture_without_a_stamp_or_with_a_damaged_one_has_no_code():
    assert read_stamp(np.zeros((64, 512), np.uint8)) is None
    assert read_stamp(np.full((64, 512), 255, np.uint8)) is None
    image = noise(512)
    draw_stamp(image, CODE)
    width = 512 // 22
    for cell in range(22):
        damaged = image[:, :, 1].copy()
        damaged[:HEIGHT_PX, cell * width : (cell + 1) * width] ^= 255
        assert read_stamp(damaged) is None, cell


def test_the_age_of_a_code_counts_from_its_newest_instant():
    emissions = Emissions()
    for pts_ns, code in ((100, 7), (200, 8), (300, 7)):
        emissions.add(pts_ns, code)
    assert [emissions.code_at(ns) for ns in (99, 100, 250, 900)] == [None, 7, 8, 7]
    assert [emissions.age_ns(7, ns) for ns in (150, 290, 350)] == [50, 190, 50]
    assert emissions.age_ns(8, 199) is None and emissions.age_ns(9, 900) is None


class Kept:
    name, shows = "kept", True

    def __init__(self):
        self.pictures, self.closed = [], None

    def send(self, picture):
        self.pictures.append(picture)

    def hear(self, sound):
        raise AssertionError("nothing is said")

    def close(self, complete=True):
        self.closed = complete


def test_the_instrument_writes_down_which_instant_is_shown_and_leaves_the_rest_alone():
    kept, seen, on = Kept(), Emissions(), threading.Event()
    stamping = Instrumented(kept, Stamping(seen, on))
    seen.add(100, 5)
    seen.add(200, 6)
    shown, idle = moved(noise(128), 100), Picture(noise(128), Motion(100), 0)
    stamping.send(shown)
    on.set()
    stamping.send(idle)
    stamping.send(moved(noise(128), 50))
    stamping.send(shown)
    stamping.close(False)
    assert [read_stamp(picture.image[:, :, 1]) for picture in kept.pictures] == [None, None, None, 5]
    assert kept.pictures[0] is shown and kept.pictures[1] is idle
    assert (shown.image == noise(128)).all(), "pictures are never written into"
    assert kept.pictures[3].trail is shown.trail and kept.closed is False


def test_the_camera_stamps_its_frames_and_reads_them_again():
    camera = SyntheticCamera(MonotonicClock(), iter([noise(128)] * 5))
    frames = list(camera)
    assert [camera.seen.code_at(frame.pts_ns) for frame in frames] == [read_stamp(f.image[:, :, 1]) for f in frames]
    assert len(frames) + camera.lost == 5 and (frames[0].image[HEIGHT_PX:] == noise(128)[HEIGHT_PX:]).all()


def test_the_microphone_gives_every_block_without_a_gap():
    blocks = list(np.random.default_rng(1).normal(0, 0.1, (20, BLOCK)).astype(np.float32))
    microphone = SyntheticMicrophone(MonotonicClock(), iter(blocks))
    sounds = list(microphone)
    assert [sound.pts_ns - microphone.start_ns for sound in sounds] == [k * 10_000_000 for k in range(20)]
    assert (np.concatenate([sound.samples[:, 0] for sound in sounds]) == np.concatenate(blocks)).all()
    assert microphone.seen.code_at(sounds[7].pts_ns + 5_000_000) == 7


@pytest.fixture
def preview() -> Iterator[Preview]:
    sink = Preview(0, status=dict)
    yield sink
    sink.close()


def test_a_reader_finds_code_and_picture_in_the_pages_stream(preview):
    image = cv2.GaussianBlur(noise(512, 512), (0, 0), 9)
    plain = image.copy()
    draw_stamp(image, CODE)
    reader = Reader("preview", preview.url)
    preview.send(Picture(image, Motion(0), 0))
    wait_until(lambda: reader.readings)
    preview.send(Picture(plain, Motion(0), 0))
    wait_until(lambda: len(reader.readings) > 1)
    assert reader.close() == ""
    assert [reading.code for reading in reader.readings[:2]] == [CODE, None]
    assert reader.readings[0].at_ns < reader.readings[1].at_ns < MonotonicClock().now_ns()
    thumb = reader.readings[0].thumb
    assert thumb.shape == (THUMB_PX, THUMB_PX)
    np.testing.assert_allclose(thumb.astype(int), thumb_of(image), atol=3)


def test_a_stamp_is_seen_in_a_browser(preview, page):
    image = np.full((512, 512, 3), 90, np.uint8)
    draw_stamp(image, CODE)
    preview.send(Picture(image, Motion(0), 0))
    page.goto(preview.url)
    page.wait_for_function("() => document.getElementById('picture').naturalWidth == 512")
    green = page.evaluate(
        """height => {
            const canvas = new OffscreenCanvas(512, height).getContext("2d");
            canvas.drawImage(document.getElementById("picture"), 0, 0);
            return [...canvas.getImageData(0, 0, 512, height).data].filter((_, i) => i % 4 == 1);
        }""",
        HEIGHT_PX,
    )
    assert read_stamp(np.array(green, np.uint8).reshape(HEIGHT_PX, 512)) == CODE


def test_a_response_is_the_first_picture_that_has_gone_half_of_the_way():
    at_ns = np.arange(0, 4_000_000_000, 40_000_000)
    shut, wide = np.full((8, 8), 60, np.uint8), np.full((8, 8), 60, np.uint8)
    wide[2:4, 2:4] = 160
    thumbs = np.where((at_ns >= 1_080_000_000)[:, None, None], wide, shut)
    thumbs[at_ns == 1_080_000_000] = shut + (wide - shut) // 3
    steps_ns = [1_010_000_000, 2_500_000_000]
    assert responses_ms(steps_ns, at_ns, thumbs) == pytest.approx([110.0]), "after the second step nothing changes"


def bench(monkeypatch, *arguments, steps=3):
    monkeypatch.setattr(latency, "_WARM_UP_S", 1.0)
    monkeypatch.setattr(latency, "_STEPS", steps)
    small = ("--size", "128", "--fps", "10")
    return main(["bench", "latency", "--output", "preview", *small, *arguments])


@pytest.mark.alone
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["video", "audio"])
def test_codes_and_steps_come_out_at_the_other_end(mode, monkeypatch, capsys):
    assert bench(monkeypatch, "--seconds", "4", "--mode", mode, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["pictures"] > 0
    steps = {step["name"]: step["mean_ms"] for step in figures["path"]["steps"]}
    assert sum(steps.values()) == pytest.approx(figures["sum_of_stages_ms"], abs=0.05)
    assert list(steps)[0 if mode == "video" else 1] == "wait for driver" and list(steps)[-1] == "write"
    assert ("look-ahead" in steps) == (mode == "audio")
    assert figures["glass_to_glass_ms"]["mean"] > steps.get("look-ahead", 0) + steps["draw"]
    assert figures["steps"]["found"] > 0


@pytest.mark.timeout(300)
def test_an_output_that_nobody_can_read_fails_and_says_why(monkeypatch, capsys):
    monkeypatch.setattr(latency, "_other_end", lambda session: ("browser", Reader("preview", "http://127.0.0.1:9/")))
    assert bench(monkeypatch, "--seconds", "2", steps=1) == 1
    assert "nothing could be read from preview: ConnectionRefusedError" in capsys.readouterr().err


@pytest.mark.parametrize("trouble", [OSError("no more processes"), KeyboardInterrupt()])
def test_a_reader_that_does_not_start_leaves_nothing_open(trouble, monkeypatch, capsys):
    def refuse(session):
        sessions.append(session)
        raise trouble

    sessions = []
    monkeypatch.setattr("runtime.sinks.preview.Preview", partial(Preview, 0))  # where no other test listens next
    monkeypatch.setattr(latency, "_other_end", refuse)
    code = bench(monkeypatch, "--seconds", "2", steps=1)
    assert code == (130 if isinstance(trouble, KeyboardInterrupt) else 1)
    with pytest.raises(URLError):
        urlopen(sessions[0].sinks[0].url, timeout=20)


def test_an_interrupt_of_the_preparations_ends_them_at_once(monkeypatch, capsys):
    monkeypatch.setattr(latency, "own_response_ms", lambda *_: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(latency, "Session", None)
    assert bench(monkeypatch, "--seconds", "2", steps=1) == 130
    assert capsys.readouterr().err == "agent: interrupted\n"


def test_a_table_says_what_a_person_wants_to_know():
    step = StepTimes("draw", False, 19.0, 18.0, 22.0, 23.0)
    nothing = StepTimes("write", False, 0.01, 0.0, 0.02, 0.04)
    figures = Figures(
        mode="video",
        output="preview",
        size="512",
        fps=25,
        pictures=500,
        dropped=1,
        rung=2,
        load=(0.5, 0.4, 0.3),
        glass_to_glass_ms=Spread.of(np.array([18.0, 20.0, 22.0])),
        path=Path(19.0, 18.0, 22.0, 23.0, (step, nothing)),
        steps=Steps(asked=8, found=7, response_ms=64.0, own_ms=24.0),
    )
    told = str(figures)
    for words in (
        "500 codes read, 1 pictures dropped, quality rung 2",
        "draw",
        "19.0     18.0     22.0     23.0",
        "+5.0 %",
    ):
        assert words in told
    assert told.startswith("--mode video --output preview, 512 at 25 fps") and "write" not in told
    assert "7 of 8 steps seen, after 64 ms" in told and "need 24: 40 from glass to glass" in told
    sooner = replace(figures, steps=Steps(asked=8, found=7, response_ms=64.0, own_ms=0.0))
    assert str(sooner).endswith("7 of 8 steps seen, after 64 ms (median)")
    unseen = replace(figures, steps=Steps(asked=8, found=0, response_ms=0.0, own_ms=24.0))
    assert str(unseen).endswith("none of 8 steps was seen")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--seconds", "1"], "--seconds 1: give 2 to 600"),
        (["--output", "a.mp4"], "--output a.mp4: give virtual-camera"),
        (["--size", "511"], "--size 511"),
        (["--mode", "both"], "video"),
    ],
)
def test_wrong_usage_costs_one_line(arguments, complaint, capsys):
    assert main(["bench", "latency", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
