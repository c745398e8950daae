"""A camera whose driver answers no more after three pictures, in the place of this machine's."""

import threading

import numpy as np

import runtime.sources.camera
from runtime.sources.devices import Device

ANSWERED = 3


class StuckCapture:
    """What is used of `cv2.VideoCapture`."""

    grabbed = 0

    def get(self, what: int) -> float:
        return 30.0

    def release(self) -> None:
        pass

    def grab(self) -> bool:
        self.grabbed += 1
        if self.grabbed > ANSWERED:
            threading.Event().wait()
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.zeros((96, 128, 3), np.uint8)


def install() -> None:
    """Every camera that this process opens from now on is such a one."""
    runtime.sources.camera.open_capture = lambda wanted: (Device(0, "a camera"), StuckCapture())
