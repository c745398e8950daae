"""Inside the virtual machine: v4l2loopback's devices, and pictures read from them by v4l2-ctl."""

import fcntl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.sources.devices import list_cameras

SHARE = Path("/mnt")

_ADD, _REMOVE = 0x4C80, 0x4C81
_CONFIG = struct.Struct("2i32s4I4i")  # number, unused, label, sizes, buffers, openers, debug, announce all


def load(module: str, devices: dict[int, str], exclusive: bool = True) -> None:
    """Loads the "old" or "new" module with devices of these numbers and labels."""
    run("busybox", "insmod", f"{SHARE}/v4l2loopback-{module}.ko", *_parameters(devices, exclusive))


def _parameters(devices: dict[int, str], exclusive: bool) -> list[str]:
    values = {
        "devices": str(len(devices)),
        "video_nr": ",".join(map(str, devices)),
        "card_label": ",".join(devices.values()),
        "exclusive_caps": ",".join("1" if exclusive else "0" for _ in devices),
        "max_buffers": "4",
    }
    return [f"{name}={value}" for name, value in values.items()]


def unload() -> None:
    run("busybox", "rmmod", "v4l2loopback")


def plug(number: int, label: str) -> None:
    """Adds a device to the new module."""
    with Path("/dev/v4l2loopback").open("rb") as control:
        fcntl.ioctl(control, _ADD, _CONFIG.pack(number, 0, label.encode(), 0, 0, 0, 0, 4, 0, 0, 0))


def unplug(number: int, patience_s: float = 20) -> float:
    """Removes a device of the new module as soon as nobody has it open; seconds that took."""
    start_s = time.monotonic()
    with Path("/dev/v4l2loopback").open("rb") as control:
        while True:
            try:
                fcntl.ioctl(control, _REMOVE, number)
            except OSError:
                if time.monotonic() - start_s > patience_s:
                    raise
                time.sleep(0.05)
            else:
                return time.monotonic() - start_s


def is_camera(number: int) -> bool:
    """Whether programs see a device as a camera."""
    return any(device.id == number for device in list_cameras().devices)


@contextmanager
def feeder(number: int, pictures: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that feeds a device, from when it is a camera until the program is killed."""
    words = [sys.executable, "-m", "tests.devices.guest.feeder", f"/dev/video{number}", str(pictures)]
    with subprocess.Popen(words) as process:
        try:
            until(lambda: is_camera(number), f"/dev/video{number} is fed")
            yield process
        finally:
            process.kill()


def read_raw(number: int, count: int, file: Path) -> None:
    """`count` pictures as v4l2-ctl reads them, one after another in a file."""
    run("v4l2-ctl", "-d", f"/dev/video{number}", "--stream-mmap", f"--stream-count={count}", f"--stream-to={file}")


def until(condition: Callable[[], bool], what: str, patience_s: float = 1200) -> None:
    """Waits for a condition. Raises TimeoutError that says `what` did not happen."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what}: not within {patience_s:.0f} s")
        time.sleep(0.1)


def run(*words: str) -> None:
    """Raises CalledProcessError."""
    subprocess.run(words, check=True, capture_output=True, timeout=300)
