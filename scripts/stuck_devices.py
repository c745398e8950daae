"""Devices whose drivers do not come back from a read or a write, in the place of this machine's."""

import os
import sys
import time

import numpy as np

import runtime.sinks.virtual_camera
import runtime.sources.camera
from runtime.sources.devices import Device

ANSWERED = 150
"""Pictures that the camera gives, 30 a second."""
TAKEN = 40
"""Pictures that the virtual camera takes."""
HANGS = "the driver hangs"
"""Is printed by then, on the error output."""


class StuckCapture:
    """What is used of `cv2.VideoCapture`."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._grabbed = 0

    def get(self, what: int) -> float:
        return 30.0

    def release(self) -> None:
        pass

    def grab(self) -> bool:
        time.sleep(1 / 30)
        self._grabbed += 1
        if self._grabbed > ANSWERED:
            print(HANGS, file=sys.stderr, flush=True)
            os.read(self._read, 1)
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.zeros((96, 128, 3), np.uint8)


class StuckOutput:
    """A virtual camera's device."""

    device = "/dev/video77"

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._taken = 0

    def send(self, frame: np.ndarray) -> None:
        self._taken += 1
        if self._taken > TAKEN:
            print(HANGS, file=sys.stderr, flush=True)
            while True:
                os.write(self._write, frame.data)

    def close(self) -> None:
        pass


def install_camera() -> None:
    """Every camera that this process opens from now on is such a one."""
    runtime.sources.camera.open_capture = lambda wanted: (Device(0, "a camera"), StuckCapture())


def install_virtual_camera() -> None:
    """The same for virtual cameras."""
    runtime.sinks.virtual_camera.open_virtual_camera = lambda size, fps, device: StuckOutput()
