"""What feeds v4l2loopback, on a pipe in the place of the kernel's device, which another test has."""

import os
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from runtime.sinks.v4l2_output import V4l2Output

SIZE = (64, 32)
OUTPUT, CAMERA = 0x2, 0x1
QUERYCAP, S_FMT = 0x80685600, 0xC0D05605  # of 64-bit systems

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")


class Kernel:
    """Answers the two requests."""

    def __init__(self) -> None:
        self.driver, self.can, self.format = b"v4l2 loopback", OUTPUT, b""

    def ioctl(self, descriptor: int, request: int, told: bytes) -> bytes:
        if request == S_FMT:
            self.format = told
            return told
        assert request == QUERYCAP and len(told) == 104
        return struct.pack("16s32s32sIII12x", self.driver, b"Avatar", b"", 0, self.can, self.can)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr("fcntl.ioctl", kernel.ioctl)
    return kernel


@pytest.fixture
def device(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Path, and where what is written there can be read."""
    path = tmp_path / "video77"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield str(path), reader
    os.close(reader)


def frame(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIZE[1] * 3 // 2, SIZE[0]), np.uint8)


def test_the_size_is_asked_for_and_frames_are_written_as_they_are(kernel: Kernel, device: tuple[str, int]) -> None:
    path, reader = device
    output = V4l2Output(path, SIZE)
    assert output.device == path
    assert len(kernel.format) == 208
    assert struct.unpack_from("I4xII4s", kernel.format) == (2, *SIZE, b"YU12")
    output.send(frame(1))
    output.send(frame(2))
    assert os.read(reader, 10_000) == frame(1).tobytes() + frame(2).tobytes()
    output.close()
    assert os.read(reader, 1) == b"", "the device is closed"


@pytest.mark.parametrize(
    ("driver", "can", "reason"),
    [
        (b"v4l2 loopback", CAMERA, "video77 is not a video output device"),
        (b"uvcvideo", OUTPUT, "video77 is not a v4l2loopback device"),
        (b"uvcvideo", CAMERA, "video77 is not a v4l2loopback device"),
    ],
)
def test_what_is_no_virtual_camera_that_can_be_fed_is_refused_and_closed(
    kernel: Kernel, device: tuple[str, int], driver: bytes, can: int, reason: str
) -> None:
    kernel.driver, kernel.can = driver, can
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match=reason):
        V4l2Output(device[0], SIZE)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with pytest.raises(FileNotFoundError):
        V4l2Output(device[0] + "7", SIZE)


def test_a_frame_that_is_not_taken_whole_is_an_error(
    kernel: Kernel, device: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = V4l2Output(device[0], SIZE)
    monkeypatch.setattr("os.write", lambda descriptor, data: 1000)
    with pytest.raises(OSError, match=r"^1000 of 3072 bytes were taken$"):
        output.send(frame(1))
    output.close()


def test_others_go_on_while_a_write_waits(kernel: Kernel, device: tuple[str, int]) -> None:
    path, reader = device
    output, sent = V4l2Output(path, SIZE), 0

    def feed() -> None:
        nonlocal sent
        for seed in range(40):  # a pipe holds about 21 of these
            output.send(frame(seed))
            sent += 1

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    feeder.join(0.5)
    assert feeder.is_alive() and 0 < sent < 40, "it waits, and this thread ran"
    os.set_blocking(reader, True)
    left = 40 * frame(0).size
    while left:
        left -= len(os.read(reader, 65_536))
    feeder.join(20)
    assert sent == 40
    output.close()
