"""The virtual camera: fed with a pattern, and read as another program reads a camera."""

import sys
import threading
import time
from collections.abc import Callable

import cv2

from agent.doctor.trials.output import OutputTrial
from agent.doctor.trials.pattern import compare_pattern, draw_pattern
from agent.patience import within
from models.errors import AgentError
from runtime.sinks.virtual_camera import Device, open_virtual_camera

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
    where, stop = device.device, threading.Event()
    frame = cv2.cvtColor(draw_pattern(size), cv2.COLOR_RGB2YUV_I420)

    def feed() -> None:
        while not stop.wait(1 / fps):
            device.send(frame)

    try:
        device.send(frame)  # some devices can be read only from then on
        if open_reader is None and sys.platform != "linux":
            return OutputTrial(output, where, untried="this system does not say which camera it is")
        feeder = threading.Thread(target=feed, name="trial feeder", daemon=True)
        feeder.start()
        try:
            difference = within(_PATIENCE_S, "trial", lambda: _read(where, open_reader or _open_reader))
        except TimeoutError:
            difference = "no picture came"
        finally:
            stop.set()
            feeder.join()
    except (RuntimeError, OSError) as error:
        return OutputTrial(output, where, refusal=f"virtual camera {where} takes no picture: {error}")
    finally:
        device.close()
    return OutputTrial(output, where, difference=difference)


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
