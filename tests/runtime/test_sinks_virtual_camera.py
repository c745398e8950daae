"""The virtual camera's own logic on a recorded device; the kernel module is another test's matter."""

import sys
import threading
import time

import cv2
import numpy as np
import pytest

from models.errors import AgentError, InputError
from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.virtual_camera import (
    VirtualCamera,
    explain,
    list_virtual_cameras,
    open_virtual_camera,
    why_invisible,
)


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
        ("Device or resource busy", "linux", "another program"),
        ("Permission denied", "linux", "usermod -aG video"),
        ("nothing found", "win32", "OBS"),
        ("nothing found", "darwin", "OBS"),
    ],
)
def test_each_failure_has_its_remedy(reason, platform, remedy):
    line = explain(reason, "/dev/video10", platform)
    assert remedy in line and "\n" not in line


def test_devices_are_listed_in_order_with_their_names(tmp_path):
    for number, label in ((10, "Avatar"), (9, "Spare")):
        (tmp_path / f"video{number}").mkdir()
        (tmp_path / f"video{number}" / "name").write_text(f"{label}\n")
    assert list_virtual_cameras(tmp_path) == [("/dev/video9", "Spare"), ("/dev/video10", "Avatar")]
    assert list_virtual_cameras(tmp_path / "none") == []


def test_a_camera_that_browsers_cannot_see_is_pointed_out(tmp_path):
    (tmp_path / "video_nr").write_text("10,11,-1\n")
    (tmp_path / "exclusive_caps").write_text("Y,N,N\n")
    assert why_invisible("/dev/video10", tmp_path) == ""
    assert "invisible" in why_invisible("/dev/video11", tmp_path)
