"""The lists of cameras and microphones: what is in them, and how one is picked."""

import sys
from pathlib import Path

import pytest

from models.errors import InputError
from runtime.sources.devices import Device, Devices, default_camera, list_cameras, list_microphones
from tests.runtime.test_video_nodes import CAMERA


class FakeNodes:
    """A folder like /sys/class/video4linux and one like /dev, whose nodes all answer as cameras."""

    def __init__(self, folder: Path) -> None:
        self.nodes, self.files = folder / "class", folder / "dev"
        self.files.mkdir()

    def add(self, number: int, name: str, encoding: str = "utf-8", bus: str = "pci") -> None:
        folder = self.nodes.parent / bus / "video4linux" / f"video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n", encoding)
        self.nodes.mkdir(exist_ok=True)
        (self.nodes / folder.name).symlink_to(folder)
        (self.files / folder.name).touch()


@pytest.fixture
def fake_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNodes:
    monkeypatch.setattr("runtime.sources.devices.query_capability", lambda file: CAMERA)
    return FakeNodes(tmp_path)


def test_devices_are_picked_by_number_name_or_part_of_it() -> None:
    found = Devices((Device(0, "Integrated Camera"), Device(2, "USB Cam 0"), Device(3, "USB Cam")))
    assert found.pick("2") == Device(2, "USB Cam 0")
    assert found.pick("usb cam") == Device(3, "USB Cam")
    assert found.pick("integrated") == Device(0, "Integrated Camera")
    assert found.pick("1") is None
    assert found.pick("phone") is None
    assert found.pick("0") == Device(0, "Integrated Camera")
    assert str(found) == "found: 0 = Integrated Camera, 2 = USB Cam 0, 3 = USB Cam"
    assert str(Devices((), "no camera is connected")) == "found none (no camera is connected)"


def test_an_integer_is_always_a_number_and_never_a_name() -> None:
    found = Devices((Device(1, "2"), Device(2, "HD 3 Cam")))
    assert found.pick("2") == Device(2, "HD 3 Cam")
    assert found.pick(" 2 ") == Device(2, "HD 3 Cam")
    assert found.pick("3") is None
    assert found.pick("hd 3") == Device(2, "HD 3 Cam")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere cameras have no paths")
def test_a_camera_is_picked_by_its_device_path_or_a_link_to_it(fake_nodes: FakeNodes) -> None:
    fake_nodes.add(0, "First")
    fake_nodes.add(12, "Second")
    (fake_nodes.files / "by-id").symlink_to(fake_nodes.files / "video12")
    found = list_cameras(fake_nodes.nodes, fake_nodes.files)
    assert found.pick(str(fake_nodes.files / "video12")) == found.devices[1]
    assert found.pick(str(fake_nodes.files / "by-id")) == found.devices[1]
    assert found.pick(str(fake_nodes.files / "video1")) is None
    assert found.pick(str(fake_nodes.files / "video")) is None


def test_the_default_camera_is_the_first_that_is_not_virtual(monkeypatch: pytest.MonkeyPatch) -> None:
    avatar, real = Device(0, "Avatar", "/dev/video0", virtual=True), Device(2, "Real", "/dev/video2")
    monkeypatch.setattr("runtime.sources.devices.list_cameras", lambda: Devices((avatar, real)))
    assert default_camera() == "2"
    monkeypatch.setattr("runtime.sources.devices.list_cameras", lambda: Devices((avatar,)))
    with pytest.raises(InputError, match=r"^no camera is connected, only virtual ones.*--camera FILE"):
        default_camera()


def test_a_part_of_a_name_finds_no_virtual_camera() -> None:
    avatar, real = Device(0, "Avatar Cam", "/dev/video0", virtual=True), Device(2, "HD Cam", "/dev/video2")
    found = Devices((avatar, real))
    assert found.pick("cam") == real
    assert found.pick("avatar") is None
    assert found.pick("avatar cam") == found.pick("0") == found.pick("/dev/video0") == avatar


def test_a_camera_that_comes_back_under_another_number_is_the_same() -> None:
    gone = Device(0, "HD Cam", "/dev/video0")
    moved, other = Device(4, "HD Cam", "/dev/video4"), Device(0, "Other", "/dev/video0")
    assert Devices((other, moved)).again(gone) == moved
    assert Devices((moved, gone)).again(gone) == gone
    assert Devices((other,)).again(gone) is None


def test_a_virtual_camera_comes_back_under_its_own_number_only() -> None:
    fed = Device(10, "Avatar", "/dev/video10", virtual=True)
    ours = Device(11, "Avatar", "/dev/video11", virtual=True)
    assert Devices((ours,)).again(fed) is None
    assert Devices((ours, fed)).again(fed) == fed
    assert Devices((ours,)).again(Device(10, "Avatar", "/dev/video10")) is None


@pytest.mark.parametrize("reason", ["no camera is connected", "no permission for /dev/video0: usermod"])
def test_without_a_camera_the_reason_and_the_remedy_are_named(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    monkeypatch.setattr("runtime.sources.devices.list_cameras", lambda: Devices((), reason))
    with pytest.raises(InputError, match=rf"^{reason}.*--camera FILE"):
        default_camera()


@pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is Linux's")
def test_a_node_that_is_no_v4l2_device_is_no_camera(tmp_path: Path) -> None:
    (tmp_path / "class" / "video0").mkdir(parents=True)
    (tmp_path / "class" / "video0" / "name").write_text("Fake\n")
    (tmp_path / "video0").write_bytes(b"")
    assert list_cameras(tmp_path / "class", tmp_path) == Devices((), "no camera is connected")
    assert list_cameras(tmp_path / "absent", tmp_path).devices == ()


@pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is Linux's")
def test_a_camera_that_vanishes_while_it_is_listed_is_left_out(fake_nodes: FakeNodes) -> None:
    fake_nodes.add(0, "Goes")
    fake_nodes.add(1, "Stays \N{LATIN SMALL LETTER E WITH ACUTE}", encoding="latin-1")
    (fake_nodes.nodes / "video0" / "name").unlink()
    found = list_cameras(fake_nodes.nodes, fake_nodes.files)
    assert [(device.id, device.name) for device in found.devices] == [(1, "Stays \N{REPLACEMENT CHARACTER}")]


def test_missing_portaudio_is_a_reason_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    found = list_microphones()
    assert found.devices == ()
    assert "apt-get install libportaudio2" in found.reason


@pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is Linux's")
def test_a_camera_without_hardware_is_virtual(fake_nodes: FakeNodes) -> None:
    fake_nodes.add(0, "Webcam")
    fake_nodes.add(10, "Avatar", bus="virtual")
    found = list_cameras(fake_nodes.nodes, fake_nodes.files)
    assert [(device.name, device.virtual) for device in found.devices] == [("Webcam", False), ("Avatar", True)]
    assert found.first() == found.devices[0]
