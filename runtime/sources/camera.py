"""The camera: newest frame wins, and a camera that was unplugged is waited for."""

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator

import cv2

from models.errors import AgentError, InputError
from runtime.clock import Clock
from runtime.frame import Frame
from runtime.slot import Slot
from runtime.sources.devices import list_cameras

_log = logging.getLogger(__name__)

_RETRY_NS = 1_000_000_000
_JOIN_S = 0.5
"""OpenCV may wait up to 10 s for a frame that does not come; closing does not wait for that."""


class Camera:
    """A camera read by its own thread; the iterator gets the newest frame and misses older ones."""

    def __init__(
        self,
        wanted: str,
        clock: Clock,
        open_capture: "Callable[[str], cv2.VideoCapture] | None" = None,
    ) -> None:
        """`wanted`: number, device path, name or part of the name. Raises InputError if the camera cannot be used."""
        self._wanted = wanted
        self._clock = clock
        self._open_capture = open_capture or open_camera
        self._slot: Slot[Frame] = Slot()
        self._stop = threading.Event()
        self._failure: Exception | None = None
        capture = self._open_capture(wanted)
        self._thread = threading.Thread(target=self._read, args=(capture,), name="camera", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many frames nobody took before the next one came."""
        return self._slot.replaced

    def __iter__(self) -> Iterator[Frame]:
        """Yields the newest frame; waits while the camera is gone. Ends after `close`.

        Raises AgentError if the camera cannot be read for another reason than that it is gone.
        """
        while (frame := self._slot.take()) is not None:
            yield frame
        if self._failure is not None:
            reason = " ".join("".join(traceback.format_exception_only(self._failure)).split())
            raise AgentError(f"camera {self._wanted} failed: {reason}") from self._failure

    def close(self) -> None:
        """Ends the iterator and switches the camera off."""
        self._stop.set()
        self._slot.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_S)

    def _read(self, capture: cv2.VideoCapture) -> None:
        """The thread: grab, stamp, convert, and reopen what was lost."""
        try:
            while not self._stop.is_set():
                if capture.grab():
                    pts_ns = self._clock.now_ns()
                    whole, bgr = capture.retrieve()
                    if whole:  # a damaged JPEG is skipped
                        self._slot.put(Frame(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), pts_ns))
                    continue
                capture.release()
                _log.warning("camera %s gives no more pictures: waiting for it to come back", self._wanted)
                reopened = self._reopened()
                if reopened is None:
                    return
                _log.warning("camera %s is back", self._wanted)
                capture = reopened
        except Exception as error:  # the reader's to raise: nobody would hear of it in this thread
            self._failure = error
        finally:
            capture.release()
            self._slot.close()

    def _reopened(self) -> cv2.VideoCapture | None:
        """Tries every second until the camera is back; None once `close` was called."""
        while self._clock.wait_until(self._clock.now_ns() + _RETRY_NS, self._stop):
            try:
                return self._open_capture(self._wanted)
            except InputError:
                continue
        return None


def open_camera(wanted: str) -> cv2.VideoCapture:
    """Opens a camera by number, device path, name or part of the name and sees a first picture.

    Asks for 1280x720 at 30 fps as MJPEG; where the camera has no MJPEG, for 640x480, which USB 2 carries raw.
    Raises InputError naming the cameras that exist, or saying that another program holds the camera.
    """
    cameras = list_cameras()
    device = cameras.pick(wanted)
    if device is None:
        raise InputError(f"no camera '{wanted}'; {cameras}")
    capture = cv2.VideoCapture(device.id, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
    mjpeg = cv2.VideoWriter.fourcc(*"MJPG")
    capture.set(cv2.CAP_PROP_FOURCC, mjpeg)
    has_mjpeg = round(capture.get(cv2.CAP_PROP_FOURCC)) == mjpeg
    width, height = (1280, 720) if has_mjpeg else (640, 480)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, 30)
    if not capture.isOpened() or not capture.grab():
        capture.release()
        raise InputError(f"camera {device.id} ({device.name}) gives no picture: close the program that uses it")
    return capture
