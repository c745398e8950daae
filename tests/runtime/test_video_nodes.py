"""What the kernel's answers say of a video device."""

import struct

from runtime.video_nodes import captures_pictures, takes_pictures


def capability(everything: int, node: int) -> bytes:
    return struct.pack("16s32s32s6I", b"uvcvideo", b"Cam", b"usb-1", 0x060100, everything, node, 0, 0, 0)


CAMERA = capability(0x84A00001, 0x04200001)
METADATA = capability(0x84A00001, 0x04A00000)  # another node of the same camera
UNFED = capability(0x85200002, 0x05200002)  # a loopback device that nobody feeds
MULTIPLANAR = capability(0x80001000, 0x1000)


def test_only_capture_nodes_are_cameras() -> None:
    assert [captures_pictures(node) for node in (CAMERA, MULTIPLANAR, METADATA, UNFED)] == [True, True, False, False]


def test_only_outputs_can_be_fed() -> None:
    assert [takes_pictures(node) for node in (CAMERA, MULTIPLANAR, METADATA, UNFED)] == [False, False, False, True]
