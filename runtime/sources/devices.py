"""The cameras and microphones of this machine."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from runtime.portaudio import load_portaudio
from runtime.video_nodes import NODES, captures_pictures, is_virtual, node_number, query_capability, video_nodes


@dataclass(frozen=True, slots=True)
class Device:
    """A camera or microphone that can be opened."""

    id: int
    """Number that opens it: N of /dev/videoN, OpenCV's index, or PortAudio's."""
    name: str
    """As the system shows it to people."""
    path: str = ""
    """Device path of a camera, such as /dev/video0; Linux only."""
    virtual: bool = False
    """A camera whose pictures another program makes, perhaps this one; known on Linux only."""

    def __str__(self) -> str:
        """For messages: "0 (Integrated Camera)"."""
        return f"{self.id} ({self.name})"


@dataclass(frozen=True, slots=True)
class Devices:
    """What was found."""

    devices: tuple[Device, ...]
    reason: str = ""
    """Why there are none, or why some were left out; empty if all is well."""

    def pick(self, wanted: str) -> Device | None:
        """The device of that number, path (a link will do) or name (a part will do). None if there is none.

        An integer is always a number, never a name. A part of a name finds no virtual camera.
        """
        if wanted.strip().isdecimal():
            return next((d for d in self.devices if d.id == int(wanted)), None)
        path, name = os.path.realpath(wanted), wanted.casefold()
        for device in self.devices:
            if path == device.path or name == device.name.casefold():
                return device
        return next((d for d in self.devices if name in d.name.casefold() and not d.virtual), None)

    def first(self) -> Device | None:
        """The first that is not virtual."""
        return next((device for device in self.devices if not device.virtual), None)

    def again(self, device: Device) -> Device | None:
        """A device that was gone, perhaps under another number; a virtual camera only under its own. None if gone."""
        if device in self.devices:
            return device
        return next((d for d in self.devices if d.name == device.name and not (d.virtual or device.virtual)), None)

    def __str__(self) -> str:
        """For messages: "found: 0 = Integrated Camera", or "found none" and why."""
        found = ", ".join(f"{device.id} = {device.name}" for device in self.devices)
        return (f"found: {found}" if found else "found none") + (f" ({self.reason})" if self.reason else "")


def list_cameras(nodes: Path = NODES, files: Path = Path("/dev")) -> Devices:
    """Cameras by number. Never raises.

    Linux tells without switching a camera on; elsewhere the first few numbers are tried.
    """
    return _linux_cameras(nodes, files) if sys.platform == "linux" else _tried_cameras()


def default_camera() -> str:
    """Number of the first camera that is not virtual. Raises InputError if there is none."""
    cameras = list_cameras()
    if (device := cameras.first()) is not None:
        return str(device.id)
    reason = cameras.reason or "no camera is connected, only virtual ones"
    raise InputError(f"{reason}. A video file works too: --camera FILE")


def list_microphones() -> Devices:
    """Sound inputs by PortAudio's number. Never raises."""
    try:
        sounddevice = load_portaudio()
    except InputError as error:
        return Devices((), str(error))
    try:
        inputs = [d for d in sounddevice.query_devices() if d["max_input_channels"] > 0]
    except sounddevice.PortAudioError as error:
        return Devices((), f"PortAudio fails: {error}")
    return Devices(
        tuple(Device(int(d["index"]), str(d["name"])) for d in inputs),
        "" if inputs else "no sound input is connected, or no sound server runs",
    )


def _linux_cameras(nodes: Path, files: Path) -> Devices:
    cameras: list[Device] = []
    closed: list[str] = []
    for node in video_nodes(nodes):
        file = files / node.name
        try:
            capability = query_capability(file)
            name = (node / "name").read_text(errors="replace").strip()
        except PermissionError:
            closed.append(str(file))
        except OSError:  # a node that is just being unplugged, or no V4L2 device at all
            continue
        else:
            if captures_pictures(capability):
                cameras.append(Device(node_number(node), name, os.path.realpath(file), is_virtual(node)))
    if closed:
        return Devices(tuple(cameras), f"no permission for {', '.join(closed)}: usermod -aG video $USER, log in again")
    return Devices(tuple(cameras), "" if cameras else "no camera is connected")


def _tried_cameras(indices: Sequence[int] = range(5)) -> Devices:
    import cv2

    found = []
    for index in indices:
        capture = cv2.VideoCapture(index)
        if capture.isOpened():
            found.append(Device(index, f"Camera {index}"))
        capture.release()
    return Devices(tuple(found), "" if found else "no camera is connected, or this program may not use it")
