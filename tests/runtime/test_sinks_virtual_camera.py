"""The virtual camera's own logic on a recorded device; the kernel module is another test's matter."""

import os
import struct
import sys
import threading
import time
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from models.errors import AgentError, InputError
from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks import virtual_camera
from runtime.sinks.v4l2_output import V4l2Output
from runtime.sinks.virtual_camera import VirtualCamera
from tests.warned import warned


class Tape:
    """A device that keeps its frames and can break."""

    device = "/dev/video10"

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self.closed, self.broken = 0, False
        self.third = threading.Event()

    def send(self, frame: np.ndarray) -> None:
        if self.broken:
            raise OSError("the device is gone")
        self.frames.append(frame)
        if len(self.frames) >= 3:
            self.third.set()

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def tape():
    return Tape()


@pytest.fixture
def camera(tape):
    camera = VirtualCamera((64, 32), 25, open_device=lambda size, fps, device: tape)
    yield camera
    camera.close()


@contextmanager
def unread_pipe(folder, monkeypatch):
    """A device whose kernel does not come back from a write once a few frames are in it."""
    path = folder / "video77"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    capability = struct.pack("16s32s32sIII12x", b"v4l2 loopback", b"", b"", 0, 0, 0x2)
    monkeypatch.setattr("fcntl.ioctl", lambda descriptor, request, told: capability)
    yield V4l2Output(str(path), (64, 32))
    os.close(reader)  # a write that hangs fails now


def picture(colour):
    return Picture(np.full((32, 64, 3), colour, np.uint8), Motion(0), 0)


def test_a_grey_picture_stands_before_the_first_and_colours_arrive(camera, tape):
    first = cv2.cvtColor(tape.frames[0], cv2.COLOR_YUV2RGB_I420)
    assert np.abs(first.astype(int) - 48).max() <= 2
    camera.send(picture((200, 100, 50)))
    assert tape.frames[1].shape == (48, 64), "I420: one and a half bytes a pixel"
    shown = cv2.cvtColor(tape.frames[1], cv2.COLOR_YUV2RGB_I420)
    assert np.abs(shown.astype(int) - (200, 100, 50)).max() <= 4


def test_the_last_picture_is_held(camera, tape):
    camera.send(picture((10, 200, 10)))
    assert tape.third.wait(20)
    assert np.array_equal(tape.frames[2], tape.frames[1])


def test_a_still_is_held_until_pictures_come(camera, tape):
    camera.hold(np.full((32, 64, 3), (200, 100, 50), np.uint8))
    assert tape.third.wait(20)
    assert np.array_equal(tape.frames[2], tape.frames[1])
    shown = cv2.cvtColor(tape.frames[2], cv2.COLOR_YUV2RGB_I420)
    assert np.abs(shown.astype(int) - (200, 100, 50)).max() <= 4


def test_a_device_that_vanishes_is_told_to_whoever_sends(camera, tape):
    tape.broken = True
    with pytest.raises(AgentError, match=r"^virtual camera /dev/video10 takes no more pictures: the device is gone$"):
        camera.send(picture((1, 2, 3)))


def test_a_device_that_vanishes_while_the_last_picture_is_held_is_told_to_whoever_sends_next(camera, tape):
    tape.broken = True
    camera._holder.join(20)
    assert not camera._holder.is_alive()
    tape.broken = False
    with pytest.raises(AgentError, match="takes no more pictures: the device is gone"):
        camera.send(picture((1, 2, 3)))


def test_a_device_that_refuses_the_first_picture_is_closed(tape):
    tape.broken = True
    with pytest.raises(AgentError, match="/dev/video10"):
        VirtualCamera((64, 32), 25, open_device=lambda size, fps, device: tape)
    assert tape.closed == 1


def test_a_held_picture_never_follows_a_newer_one(tape, monkeypatch):
    monkeypatch.setattr("runtime.sinks.virtual_camera._HOLD_S", 1e-5)
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        camera = VirtualCamera((64, 32), 25, open_device=lambda size, fps, device: tape)
        for _ in range(5):
            tape.frames.clear()
            for grey in range(50, 250):
                camera.send(picture((grey, grey, grey)))
                time.sleep(1e-5)
            lights = [int(frame[0, 0]) for frame in list(tape.frames)]
            assert len(lights) > 200, "nothing was held"
            assert np.all(np.diff(lights) >= 0)
            camera.send(picture((50, 50, 50)))
    finally:
        sys.setswitchinterval(switch_s)
        camera.close()


def test_closes_once(tape):
    camera = VirtualCamera((64, 32), 25, open_device=lambda size, fps, device: tape)
    camera.close(complete=False)
    camera.close()
    assert tape.closed == 1
    assert "virtual camera hold" not in [thread.name for thread in threading.enumerate()]


def test_a_driver_that_hangs_does_not_hang_the_end(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(virtual_camera, "_CLOSE_S", 0.05)
    fills = threading.Event()
    with unread_pipe(tmp_path, monkeypatch) as device:

        class Pipe(Tape):
            def send(self, frame):
                if len(self.frames) == 0:
                    super().send(frame)
                    return
                fills.set()
                while True:
                    device.send(frame)

        camera = VirtualCamera((64, 32), 25, open_device=lambda *_: Pipe())  # its thread holds the picture
        assert fills.wait(20)
        time.sleep(0.2)
        camera.close()
    assert warned(caplog, "runtime.sinks.virtual_camera") == [
        "virtual camera /dev/video10 does not answer and is left behind"
    ]


def test_a_driver_that_answers_after_the_end_shows_nothing_more(monkeypatch):
    monkeypatch.setattr(virtual_camera, "_CLOSE_S", 0.05)
    monkeypatch.setattr(virtual_camera, "_HOLD_S", 0.01)
    hangs, answers = threading.Event(), threading.Event()

    class Slow(Tape):
        def send(self, frame):
            super().send(frame)
            if len(self.frames) == 2:
                hangs.set()
                answers.wait(20)

    tape = Slow()
    camera = VirtualCamera((64, 32), 25, open_device=lambda *_: tape)
    assert hangs.wait(20)
    camera.close()
    answers.set()
    assert not tape.third.wait(0.3)
    camera.close()
    assert tape.closed == 1


def test_odd_sizes_are_refused():
    with pytest.raises(InputError, match="even"):
        VirtualCamera((63, 32), 25)
