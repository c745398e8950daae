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
from runtime.sinks.virtual_camera import (
    VirtualCamera,
    explain,
    free_virtual_cameras,
    list_virtual_cameras,
    open_virtual_camera,
    why_invisible,
)
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


@pytest.mark.skipif(bool(list_virtual_cameras()), reason="this machine has a virtual camera")
def test_without_a_device_the_remedy_is_named():
    with pytest.raises(InputError, match=r"modprobe v4l2loopback .*exclusive_caps=1"):
        open_virtual_camera((64, 32), 25, None)
    with pytest.raises(InputError, match="/dev/video77"):
        open_virtual_camera((64, 32), 25, "/dev/video77")


@pytest.mark.parametrize(
    ("reason", "platform", "remedy"),
    [
        ("Device /dev/video10 is not a video output device.", "linux", "modprobe -r v4l2loopback"),
        ("/dev/video10 is not a v4l2loopback device", "linux", "give one of its devices"),
        ("Device or resource busy", "linux", "another program"),
        ("Permission denied", "linux", "usermod -aG video"),
        ("nothing found", "win32", "OBS"),
        ("nothing found", "darwin", "OBS"),
    ],
)
def test_each_failure_has_its_remedy(reason, platform, remedy):
    line = explain(reason, "/dev/video10", platform)
    assert remedy in line and "\n" not in line


def test_a_camera_that_browsers_cannot_see_is_pointed_out(tmp_path):
    (tmp_path / "video_nr").write_text("10,11,-1\n")
    (tmp_path / "exclusive_caps").write_text("Y,N,N\n")
    assert why_invisible("/dev/video10", tmp_path) == ""
    assert "invisible" in why_invisible("/dev/video11", tmp_path)


class Loopbacks:
    """A folder like that of v4l2loopback's devices, and what opens them."""

    def __init__(self, folder):
        self.folder, self.opened = folder, []
        self.stuck = set()

    def add(self, number, name, **attributes):
        node = self.folder / f"video{number}"
        node.mkdir()
        for attribute, text in {"name": name, "format": "", **attributes}.items():
            (node / attribute).write_text(f"{text}\n")

    def open(self, device, size):
        self.opened.append(device)
        if device in self.stuck:
            raise OSError(f"{device} is not a video output device")
        tape = Tape()
        tape.device = device
        return tape


@pytest.fixture
def loopbacks(tmp_path, monkeypatch):
    folder = tmp_path / "sys/devices/virtual/video4linux"
    folder.mkdir(parents=True)
    loopbacks = Loopbacks(folder)
    monkeypatch.setattr(virtual_camera, "NODES", folder)
    monkeypatch.setattr(virtual_camera, "V4l2Output", loopbacks.open)
    return loopbacks


@pytest.mark.parametrize("fed", [{"state": "capture"}, {"format": "YU12:64x32@30"}], ids=["new module", "old module"])
def test_the_first_free_device_is_taken(loopbacks, fed):
    free = {"state": "output"} if "state" in fed else {}
    loopbacks.add(3, "Other", **fed)
    loopbacks.add(10, "Avatar", **free)
    assert free_virtual_cameras() == ["/dev/video10"]
    assert open_virtual_camera((64, 32), 25, None).device == "/dev/video10"
    assert loopbacks.opened == ["/dev/video10"]
    for name in ("/dev/video3", "Other"):
        with pytest.raises(InputError, match=rf"virtual camera {name} is fed by another program"):
            open_virtual_camera((64, 32), 25, name)


def test_a_device_that_cannot_be_opened_again_is_passed_over(loopbacks):
    loopbacks.add(10, "Avatar")
    loopbacks.add(11, "Second")
    loopbacks.stuck.add("/dev/video10")
    assert open_virtual_camera((64, 32), 25, None).device == "/dev/video11"
    loopbacks.stuck.add("/dev/video11")
    with pytest.raises(InputError, match=r"older than 0\.13 allows it once.*modprobe -r v4l2loopback"):
        open_virtual_camera((64, 32), 25, None)


def test_when_all_devices_are_fed_that_is_said(loopbacks):
    loopbacks.add(10, "Avatar", state="capture")
    with pytest.raises(InputError, match=r"^the virtual camera is fed by another program.*devices=2"):
        open_virtual_camera((64, 32), 25, None)


def test_a_device_that_kept_another_size_is_refused_and_freed(loopbacks, monkeypatch):
    loopbacks.add(10, "Avatar", state="output", format="YU12:512x512@30")

    tape = Tape()
    monkeypatch.setattr(virtual_camera, "V4l2Output", lambda path, size: tape)
    with pytest.raises(InputError, match=r"still watched at 512x512.*--size 512x512"):
        open_virtual_camera((64, 32), 25, None)
    assert tape.closed == 1
    tape.closed = 0
    assert open_virtual_camera((512, 512), 25, None) is tape


@pytest.mark.parametrize(("state", "named"), [(1, True), (0, False), (None, False)])
def test_secure_boot_is_named_where_it_is_on(loopbacks, tmp_path, monkeypatch, state, named):
    variable = tmp_path / virtual_camera._SECURE_BOOT
    variable.parent.mkdir(parents=True)
    if state is not None:
        variable.write_bytes(bytes([6, 0, 0, 0, state]))
    monkeypatch.setattr(virtual_camera, "_ROOT", tmp_path)
    with pytest.raises(InputError, match=r"no virtual camera: sudo apt install v4l2loopback-dkms") as caught:
        open_virtual_camera((64, 32), 25, None)
    assert ("mokutil --import" in str(caught.value)) is named
    assert "--output preview" in str(caught.value)


def test_devices_are_listed_in_order_with_their_names(loopbacks, monkeypatch):
    loopbacks.add(10, "Avatar")
    loopbacks.add(9, "Spare")
    assert list_virtual_cameras() == [("/dev/video9", "Spare"), ("/dev/video10", "Avatar")]
    monkeypatch.setattr(virtual_camera, "NODES", loopbacks.folder / "none")
    assert list_virtual_cameras() == []
