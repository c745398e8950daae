"""Video devices as Linux describes them: which there are, which of them are virtual, what they can do."""

import os
import struct
from pathlib import Path

NODES = Path("/sys/class/video4linux")
"""A folder for each device, named as its file in /dev."""

_VIDIOC_QUERYCAP = 0x80685600
_CAPABILITY = struct.Struct("16s32s32sIII12x")  # struct v4l2_capability: driver, card, bus, version, all, device
_VIDEO_CAPTURE = 0x00000001 | 0x00001000  # single-planar or multi-planar
_VIDEO_OUTPUT = 0x00000002 | 0x00002000  # the same
_LOOPBACK = b"v4l2 loopback"


def video_nodes(nodes: Path = NODES) -> list[Path]:
    """The folders of all devices, by number; none where there is no such folder."""
    return sorted(nodes.glob("video*"), key=node_number)


def node_number(node: Path) -> int:
    """N of videoN."""
    return int(node.name.removeprefix("video"))


def is_virtual(node: Path) -> bool:
    """Whether no hardware stands behind a device: other programs, perhaps this one, make its pictures."""
    return node.resolve().parts[-3:-1] == ("virtual", "video4linux")


def query_capability(file: Path) -> bytes:
    """`struct v4l2_capability`, 104 bytes, of a device file. Raises OSError."""
    descriptor = os.open(file, os.O_RDWR | os.O_NONBLOCK)
    try:
        return capability_of(descriptor)
    finally:
        os.close(descriptor)


def capability_of(descriptor: int) -> bytes:
    """The same of a device that is open."""
    import fcntl

    return fcntl.ioctl(descriptor, _VIDIOC_QUERYCAP, bytes(_CAPABILITY.size))


def is_loopback(capability: bytes) -> bool:
    """Whether a `struct v4l2_capability` is that of v4l2loopback."""
    driver, *_ = _CAPABILITY.unpack(capability)
    return bool(driver.rstrip(b"\0") == _LOOPBACK)


def captures_pictures(capability: bytes) -> bool:
    """Whether a `struct v4l2_capability` is that of a camera: no output, no metadata."""
    return bool(_of_device(capability) & _VIDEO_CAPTURE)


def takes_pictures(capability: bytes) -> bool:
    """Whether a `struct v4l2_capability` is that of a device that can be fed now."""
    return bool(_of_device(capability) & _VIDEO_OUTPUT)


def _of_device(capability: bytes) -> int:
    *_, device = _CAPABILITY.unpack(capability)
    return int(device)
