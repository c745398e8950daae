"""Outputs that are fed and read back, inputs that are measured: as they should be, and at fault."""

import socket
import threading
import time
from functools import partial

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from agent.config.run import Run
from agent.doctor.trials.camera import try_camera
from agent.doctor.trials.engine import try_engine
from agent.doctor.trials.output import OutputTrial
from agent.doctor.trials.pattern import compare_pattern, draw_pattern
from agent.doctor.trials.preview import try_preview
from agent.doctor.trials.video_file import try_video_file
from agent.doctor.trials.virtual_camera import try_virtual_camera
from agent.doctor.trials.virtual_microphone import _difference, try_virtual_microphone
from agent.doctor.trials.warnings import collected_warnings
from agent.doctor.trials.webrtc import try_webrtc
from agent.plan import make_plan
from models.errors import InputError
from runtime.frame import Frame
from runtime.sinks.preview import Preview
from runtime.sinks.pulse_modules import pactl
from runtime.sinks.sound_outputs import PulseOutput
from runtime.sources.devices import Device, Devices

SIZE = (128, 64)


class Loopback:
    """A virtual camera and whoever reads it; `view` is what happens to pictures on the way (I420 -> BGR or None)."""

    device = "/dev/video10"

    def __init__(self, view=lambda frame: cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420)):
        self.view, self.newest, self.closed, self.released = view, None, 0, 0

    def send(self, frame):
        if self.view is None:
            raise OSError("the device is gone")
        self.newest = frame

    def close(self):
        self.closed += 1

    def read(self):
        time.sleep(0.001)
        seen = self.view(self.newest)
        return seen is not None, seen

    def release(self):
        self.released += 1

    def tried(self):
        return try_virtual_camera("virtual-camera", SIZE, 25, lambda *_: self, lambda path: self)


def test_the_webrtc_page_is_watched(portrait_png, monkeypatch):
    plan = make_plan(Run(portrait_png, microphone="x", output=("webrtc",), size="128"), ())
    trial = try_webrtc(plan)
    assert (trial.refusal, trial.difference) == ("", "")
    assert trial.where.startswith("http://127.0.0.1:") and "token" not in trial.where
    blue = np.full((128, 128, 3), (0, 0, 200), np.uint8)
    monkeypatch.setattr("agent.doctor.trials.webrtc.draw_pattern", lambda size: blue)
    assert "other colours" in try_webrtc(plan).difference


def test_the_pattern_is_known_again_at_another_size_and_told_from_others():
    assert compare_pattern(draw_pattern((640, 480))) == ""
    assert compare_pattern(cv2.resize(draw_pattern(SIZE), (70, 50))) == ""
    assert "exchanged" in compare_pattern(np.ascontiguousarray(draw_pattern(SIZE)[..., ::-1]))
    assert "other colours" in compare_pattern(draw_pattern(SIZE)[::-1])


def test_a_virtual_camera_is_fed_read_and_closed():
    device = Loopback()
    assert device.tried() == OutputTrial("virtual-camera", "/dev/video10")
    assert (device.closed, device.released) == (1, 1)


@pytest.mark.parametrize(
    ("view", "difference"),
    [
        (lambda frame: cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420), "red and blue are exchanged"),
        (lambda frame: np.zeros((64, 128, 3), np.uint8), "other colours"),
        (lambda frame: None, "no picture came"),
    ],
)
def test_a_virtual_camera_that_shows_something_else_is_told(view, difference):
    device = Loopback(view)
    assert difference in device.tried().difference
    assert device.closed == 1


def test_a_virtual_camera_that_takes_no_picture_is_told_and_closed():
    device = Loopback(None)
    assert "the device is gone" in device.tried().refusal
    assert device.closed == 1


def test_a_virtual_camera_that_fails_while_it_is_read_is_told_and_closed():
    device, gone = Loopback(), threading.Event()

    def send(frame):
        if device.newest is not None:
            gone.set()
            raise OSError("the device is gone")
        device.newest = frame

    device.send = send
    device.read = lambda: (not gone.wait(20), None)
    assert "takes no picture: the device is gone" in device.tried().refusal
    assert device.closed == 1


def test_a_virtual_camera_that_hangs_is_left_behind_and_left_open(monkeypatch):
    monkeypatch.setattr("agent.doctor.trials.virtual_camera._PATIENCE_S", 0.2)
    hung, device = threading.Event(), Loopback()
    device.send = lambda frame: hung.wait(60)
    assert "it does not answer" in device.tried().refusal
    assert device.closed == 0, "the feeder is still inside"
    hung.set()


def test_a_reader_that_hangs_is_left_behind(monkeypatch):
    monkeypatch.setattr("agent.doctor.trials.virtual_camera._PATIENCE_S", 0.2)
    hung = threading.Event()
    device = Loopback(lambda frame: hung.wait() and None)
    assert device.tried().difference == "no picture came"
    hung.set()


def test_a_virtual_camera_that_does_not_open_is_told_in_the_runs_words():
    def refuse(*_):
        raise InputError("no virtual camera: load one")

    assert try_virtual_camera("virtual-camera", SIZE, 25, refuse).refusal == "no virtual camera: load one"


@pytest.mark.alone
def test_a_tone_comes_out_of_the_virtual_microphone_and_nothing_stays_behind(server):
    before = pactl("list", "short", "modules")
    assert try_virtual_microphone("virtual-microphone:Me", None) == OutputTrial("virtual-microphone:Me", "Me")
    assert pactl("list", "short", "modules") == before


def test_a_tone_is_told_from_noise_a_quiet_one_and_nothing():
    tone = (0.25 * np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000)).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.5, 48_000).astype(np.float32)
    with_hole = tone.copy()
    with_hole[20_000:40_000] = 0
    assert _difference(tone) == _difference(with_hole) == ""
    assert "loudness" in _difference(tone / 10)
    assert "besides" in _difference(tone + noise)
    assert _difference(tone[:100]) == "nothing was recorded"


def test_a_virtual_microphone_that_is_silent_is_told(server, monkeypatch):
    monkeypatch.setattr("agent.doctor.trials.virtual_microphone._AMPLITUDE", 0.0)
    assert try_virtual_microphone("virtual-microphone", None).difference == "silence was recorded"


def test_a_virtual_microphone_that_hangs_is_left_behind_and_left_open(server, monkeypatch):
    hung, closed = threading.Event(), []
    monkeypatch.setattr("agent.doctor.trials.virtual_microphone._PATIENCE_S", 0.2)
    monkeypatch.setattr(PulseOutput, "play", lambda self, tone, stop: hung.wait(60))
    close = PulseOutput.close
    monkeypatch.setattr(PulseOutput, "close", lambda self: closed.append(self))
    opened = []
    made = PulseOutput.__init__
    monkeypatch.setattr(PulseOutput, "__init__", lambda self, *a: (opened.append(self), made(self, *a))[1])
    assert "takes no more" in try_virtual_microphone("virtual-microphone", None).difference
    assert closed == [], "the player is still inside"
    hung.set()
    close(opened[0])


def test_a_virtual_microphone_that_cannot_be_closed_is_told(server, monkeypatch):
    close = PulseOutput.close

    def refuse(self):
        close(self)
        raise InputError("the module stays")

    monkeypatch.setattr(PulseOutput, "close", refuse)
    assert try_virtual_microphone("virtual-microphone", None).refusal == "the module stays"


def test_without_a_sound_server_the_virtual_microphone_is_refused(server):
    server.kill()
    assert "none answers" in try_virtual_microphone("virtual-microphone", None).refusal


def test_the_preview_page_is_fetched_and_its_port_freed(monkeypatch):
    monkeypatch.setattr("agent.doctor.trials.preview.Preview", partial(Preview, 0))  # where no other test listens next
    trial = try_preview(SIZE)
    assert not trial.refusal and not trial.difference
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(trial.where.rstrip("/").rpartition(":")[2])), 1)


@pytest.mark.alone
def test_a_preview_without_a_port_is_refused():
    taken = []
    try:
        for port in range(8765, 8786):
            listener = socket.socket()
            taken.append(listener)
            try:
                listener.bind(("127.0.0.1", port))
                listener.listen()
            except OSError:
                continue  # somebody else's already
        assert "taken" in try_preview(SIZE).refusal
    finally:
        for listener in taken:
            listener.close()


def test_a_video_file_is_tried_beside_the_wanted_one(tmp_path):
    (tmp_path / "talk.mp4").write_text("mine")
    trial = try_video_file(str(tmp_path / "talk.mp4"), SIZE, 25)
    assert not trial.refusal and not trial.difference
    assert [path.name for path in tmp_path.iterdir()] == ["talk.mp4"]
    assert (tmp_path / "talk.mp4").read_text() == "mine"
    assert "o such" in try_video_file(str(tmp_path / "none" / "talk.mp4"), SIZE, 25).refusal


class FakeCamera:
    """Gives frames of one picture at a rate until it is closed."""

    lost = 0

    def __init__(self, image, fps):
        self._image, self._fps, self._stop = image, fps, threading.Event()

    def __iter__(self):
        while not self._stop.wait(1 / self._fps):
            yield Frame(self._image, time.monotonic_ns())

    def close(self):
        self._stop.set()


def test_a_camera_is_measured(monkeypatch):
    bright = np.zeros((90, 160, 3), np.uint8)
    bright[:, 80:] = 200
    monkeypatch.setattr(
        "agent.doctor.trials.camera.list_cameras", lambda: Devices((Device(3, "Webcam", "/dev/video3"),))
    )
    monkeypatch.setattr("agent.doctor.trials.camera.open_camera", lambda wanted, clock: FakeCamera(bright, 20))
    monkeypatch.setattr("agent.doctor.trials.camera._WATCHED_S", 1.0)
    trial = try_camera("3")
    assert (trial.name, trial.path, trial.refusal) == ("Webcam", "/dev/video3", "")
    assert (trial.width, trial.height, trial.light, trial.contrast) == (160, 90, 100.0, 100.0)
    assert 2 < trial.fps < 21


def test_a_camera_that_is_not_there_is_told_in_the_runs_words():
    assert "no camera 'nobody has this'" in try_camera("nobody has this").refusal


def test_the_engine_draws_and_names_its_backend(portrait_png):
    trial = try_engine(make_plan(Run(portrait_png, size="128", output=("preview",)), ()))
    assert (trial.portrait_refusal, trial.engine_refusal, trial.backend) == ("", "", "cpu")
    assert trial.fps > 0


def test_a_photo_and_an_engine_of_no_use_are_told_apart(portrait_png, tmp_path):
    cat = tmp_path / "cat.png"
    Image.fromarray(skimage.data.chelsea()).save(cat)
    assert "no human face" in try_engine(make_plan(Run(cat), ())).portrait_refusal
    trial = try_engine(make_plan(Run(portrait_png, size="128", backend="onnx"), ()))
    assert not trial.portrait_refusal and "leave --backend out" in trial.engine_refusal


def test_warnings_are_collected_and_not_shown(caplog):
    import logging

    with collected_warnings() as warnings:
        logging.getLogger("runtime.anything").warning("the picture is %s", "small")
        logging.getLogger("runtime.anything").info("no matter")
    assert warnings == ["the picture is small"]
    assert "the picture is small" not in caplog.text
