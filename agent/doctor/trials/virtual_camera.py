"""The virtual camera: fed with a pattern, and read as another program reads a camera."""

import sys
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import UInt8

from agent.doctor.trials.output import OutputTrial
from agent.doctor.trials.pattern import compare_pattern, draw_pattern
from agent.patience import within
from models.errors import AgentError
from runtime.sinks.virtual_camera_device import Device, open_virtual_camera

_PATIENCE_S = 8.0
_PICTURES = 25  # the first ones may still show what was there before

OpenDevice = Callable[[tuple[int, int], int, str | None], Device]


def try_virtual_camera(
    output: str,
    size: tuple[int, int],
    fps: int,
    open_device: OpenDevice = open_virtual_camera,
    open_reader: "Callable[[str], cv2.VideoCapture] | None" = None,
) -> OutputTrial:
    """`output` as in `--output`. Feeds the device for as long as reading takes, eight seconds at most."""
    try:
        device = open_device(size, fps, output.partition(":")[2] or None)
    except AgentError as error:
        return OutputTrial(output, refusal=str(error))
    where = device.device
    feeder = _Feeder(device, cv2.cvtColor(draw_pattern(size), cv2.COLOR_RGB2YUV_I420), 1 / fps)
    difference = untried = ""
    try:
        if feeder.has_fed():  # some devices can be read only from then on
            if open_reader is None and sys.platform != "linux":
                untried = "this system does not say which camera it is"
            else:
                difference = within(_PATIENCE_S, "trial", lambda: _read(where, open_reader or _open_reader))
    except TimeoutError:
        difference = "no picture came"
    finally:
        failure = feeder.close()
    if failure:
        return OutputTrial(output, where, refusal=f"virtual camera {where} takes no picture: {failure}")
    return OutputTrial(output, where, difference=difference, untried=untried)


class _Feeder:
    """Shows a device one frame again and again, from a thread of its own, which is left behind where that hangs."""

    def __init__(self, device: Device, frame: UInt8[np.ndarray, "n w"], period_s: float) -> None:
        self._device, self._frame, self._period_s = device, frame, period_s
        self._begun, self._stop = threading.Event(), threading.Event()
        self._failure = ""
        self._thread = threading.Thread(target=self._feed, name="trial feeder", daemon=True)
        self._thread.start()

    def has_fed(self) -> bool:
        """Whether the device takes the first frame, for which it waits."""
        return self._begun.wait(_PATIENCE_S) and not self._failure

    def close(self) -> str:
        """Ends it and closes the device, unless the thread is still in there; what went wrong, empty if nothing."""
        self._stop.set()
        self._thread.join(_PATIENCE_S)
        if self._thread.is_alive():
            return "it does not answer"
        self._device.close()
        return self._failure

    def _feed(self) -> None:
        try:
            self._device.send(self._frame)
            self._begun.set()
            while not self._stop.wait(self._period_s):
                self._device.send(self._frame)
        except (RuntimeError, OSError) as error:
            self._failure = str(error)
            self._begun.set()


def _open_reader(path: str) -> cv2.VideoCapture:
    return cv2.VideoCapture(path, cv2.CAP_V4L2)


def _read(path: str, open_reader: "Callable[[str], cv2.VideoCapture]") -> str:
    """What is wrong with what comes; empty as soon as a picture is right."""
    reader = open_reader(path)
    difference = "no picture came"
    until_s = time.monotonic() + _PATIENCE_S
    try:
        for _ in range(_PICTURES):
            came, bgr = reader.read()
            if not came or time.monotonic() > until_s:
                return difference
            difference = compare_pattern(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
            if not difference:
                return ""
    finally:
        reader.release()
    return difference
