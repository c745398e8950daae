"""Which virtual camera is opened, in a folder like the kernel's, and what is said where none can be."""

import pytest

from models.errors import InputError
from runtime.sinks import virtual_camera_device
from runtime.sinks.virtual_camera_device import (
    explain,
    free_virtual_cameras,
    list_virtual_cameras,
    open_virtual_camera,
    why_invisible,
)


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


class Loopback:
    """An opened device."""

    def __init__(self, device):
        self.device, self.closed = device, False

    def send(self, frame): ...

    def close(self):
        self.closed = True


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
        return Loopback(device)


@pytest.fixture
def loopbacks(tmp_path, monkeypatch):
    folder = tmp_path / "sys/devices/virtual/video4linux"
    folder.mkdir(parents=True)
    loopbacks = Loopbacks(folder)
    monkeypatch.setattr(virtual_camera_device, "NODES", folder)
    monkeypatch.setattr(virtual_camera_device, "V4l2Output", loopbacks.open)
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
    opened = Loopback("/dev/video10")
    monkeypatch.setattr(virtual_camera_device, "V4l2Output", lambda path, size: opened)
    with pytest.raises(InputError, match=r"still watched at 512x512.*--size 512x512"):
        open_virtual_camera((64, 32), 25, None)
    assert opened.closed
    assert open_virtual_camera((512, 512), 25, None) is opened


@pytest.mark.parametrize(("state", "named"), [(1, True), (0, False), (None, False)])
def test_secure_boot_is_named_where_it_is_on(loopbacks, tmp_path, monkeypatch, state, named):
    variable = tmp_path / virtual_camera_device._SECURE_BOOT
    variable.parent.mkdir(parents=True)
    if state is not None:
        variable.write_bytes(bytes([6, 0, 0, 0, state]))
    monkeypatch.setattr(virtual_camera_device, "_ROOT", tmp_path)
    with pytest.raises(InputError, match=r"no virtual camera: sudo apt install v4l2loopback-dkms") as caught:
        open_virtual_camera((64, 32), 25, None)
    assert ("mokutil --import" in str(caught.value)) is named
    assert "--output preview" in str(caught.value)


def test_devices_are_listed_in_order_with_their_names(loopbacks, monkeypatch):
    loopbacks.add(10, "Avatar")
    loopbacks.add(9, "Spare")
    assert list_virtual_cameras() == [("/dev/video9", "Spare"), ("/dev/video10", "Avatar")]
    monkeypatch.setattr(virtual_camera_device, "NODES", loopbacks.folder / "none")
    assert list_virtual_cameras() == []
