"""The camera: newest frame wins, and a camera that was unplugged is waited for."""

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from models.errors import AgentError, InputError
from runtime.answers import Answers
from runtime.clock import Clock
from runtime.frame import Frame
from runtime.slot import Slot
from runtime.sources.devices import Device, list_cameras

_log = logging.getLogger(__name__)

_RETRY_NS = 500_000_000
_LOOK_S = 0.2  # without a picture, until the driver is looked after
_JOIN_S = 0.3  # closing does not wait longer for a driver that hangs
_FIRST_TRIES = 5  # a camera may need some seconds for its first picture
_RATE_NS = 5_000_000_000
_ERRORS = 2  # OpenCV's log level
_SLOW = 0.6  # of the rate that the driver granted

os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")  # seconds OpenCV waits for a picture, else 10


@runtime_checkable
class Capture(Protocol):
    """What is used of an open `cv2.VideoCapture`."""

    def grab(self) -> bool:
        """Waits for the next picture; false if none comes."""
        ...

    def retrieve(self) -> tuple[bool, np.ndarray]:
        """Whether the picture that was grabbed is whole, and the picture, BGR."""
        ...

    def get(self, what: int) -> float:
        """A property by OpenCV's number."""
        ...

    def release(self) -> None:
        """Frees the camera."""
        ...


Opened = tuple[Device, Capture]


class Camera:
    """A camera read by its own thread; the iterator gets the newest frame and misses older ones."""

    def __init__(
        self,
        wanted: str,
        clock: Clock,
        open_device: Callable[[str | Device], Opened] | None = None,
    ) -> None:
        """`wanted`: number, device path, name or part of the name. Raises InputError if the camera cannot be used."""
        self._clock = clock
        self._open_device = open_device or open_capture
        self._slot: Slot[Frame] = Slot()
        self._stop = threading.Event()
        self._failure: Exception | None = None
        self.rate_fps: float | None = None
        """Pictures per second that came lately; None in the first seconds."""
        self._device, capture = self._open_device(wanted)
        self.answers = Answers(f"camera {self._device}", "the face idles until it does", clock)
        self._thread = threading.Thread(target=self._read, args=(capture,), name="camera", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many frames nobody took before the next one came."""
        return self._slot.replaced

    def __iter__(self) -> Iterator[Frame]:
        """Yields the newest frame; waits while the camera is gone or does not answer. Ends after `close`.

        Raises AgentError if the camera cannot be read for another reason than that it is gone.
        """
        while (frame := self._slot.take(_LOOK_S)) is not None or not self._slot.closed:
            self.answers.look()
            if frame is not None:
                yield frame
        if self._failure is not None:
            reason = " ".join("".join(traceback.format_exception_only(self._failure)).split())
            raise AgentError(f"camera {self._device} failed: {reason}") from self._failure

    def close(self) -> None:
        """Ends the iterator and switches the camera off."""
        self._stop.set()
        self._slot.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_S)
            if self.answers.waiting:
                _log.warning("camera %s does not answer and is left behind", self._device)

    def _read(self, capture: Capture) -> None:
        """The thread: reads a camera until it is gone, and opens it again when it is back."""
        try:
            self._show(capture)
            while not self._stop.is_set():
                capture.release()
                _log.warning("camera %s gives no more pictures: waiting for it to come back", self._device)
                reopened = self._reopened()
                if reopened is None:
                    return
                self._device, capture = reopened
                _log.warning("camera %s is back", self._device)
                self._show(capture)
        except Exception as error:  # the reader's to raise: nobody would hear of it in this thread
            self._failure = error
        finally:
            capture.release()
            self._slot.close()

    def _show(self, capture: Capture) -> None:
        """Grabs, stamps and converts until no picture comes, or `close` was called."""
        granted_fps = capture.get(cv2.CAP_PROP_FPS)
        since_ns, count = self._clock.now_ns(), 0
        while not self._stop.is_set() and self._grabbed(capture):
            pts_ns = self._clock.now_ns()
            with self.answers.asked():
                whole, bgr = capture.retrieve()
            if whole:  # a damaged JPEG is skipped
                self._slot.put(Frame(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), pts_ns))
            count += 1
            if pts_ns - since_ns >= _RATE_NS:
                self._note_rate(count * 1e9 / (pts_ns - since_ns), granted_fps)
                since_ns, count = pts_ns, 0

    def _grabbed(self, capture: Capture) -> bool:
        with self.answers.asked():
            return capture.grab()

    def _note_rate(self, rate_fps: float, granted_fps: float) -> None:
        """Keeps the rate; says once that it is low."""
        if self.rate_fps is None and rate_fps < _SLOW * granted_fps:
            advice = "more light or another USB port may help"
            _log.warning(
                "camera %s gives %.0f pictures a second, not %.0f: %s", self._device, rate_fps, granted_fps, advice
            )
        self.rate_fps = round(rate_fps, 1)

    def _reopened(self) -> Opened | None:
        """Tries twice a second until the camera is back; None once `close` was called."""
        while self._clock.wait_until(self._clock.now_ns() + _RETRY_NS, self._stop):
            try:
                return self._open_device(self._device)
            except InputError:
                continue
        return None


def open_capture(wanted: str | Device) -> Opened:
    """Opens a camera by number, device path, name or part of the name, or one that was gone; sees a first picture.

    Asks for 1280x720 at 30 fps as MJPEG; where the camera has no MJPEG, for 640x480, which USB 2 carries raw.
    Raises InputError naming the cameras that exist, or saying that another program holds the camera.
    """
    cameras = list_cameras()
    device = cameras.pick(wanted) if isinstance(wanted, str) else cameras.again(wanted)
    if device is None:
        raise InputError(f"no camera '{wanted}'; {cameras}")
    cv2.setLogLevel(_ERRORS)  # what OpenCV warns of is said here, in words
    capture = cv2.VideoCapture(device.id, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
    mjpeg = cv2.VideoWriter.fourcc(*"MJPG")
    capture.set(cv2.CAP_PROP_FOURCC, mjpeg)
    has_mjpeg = round(capture.get(cv2.CAP_PROP_FOURCC)) == mjpeg
    width, height = (1280, 720) if has_mjpeg else (640, 480)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, 30)
    if not capture.isOpened() or not any(capture.grab() for _ in range(_FIRST_TRIES)):
        capture.release()
        remedy = "start the program that feeds it" if device.virtual else "close the program that uses it"
        raise InputError(f"camera {device} gives no picture: {remedy}")
    return device, capture
