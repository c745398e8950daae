"""A camera that other programs can choose: v4l2loopback on Linux, OBS's camera on Windows and macOS."""

import logging
import threading
from collections.abc import Callable
from typing import ClassVar

import cv2
import numpy as np
from jaxtyping import UInt8

from models.errors import AgentError, InputError
from runtime.picture import Picture
from runtime.sinks.virtual_camera_device import Device, open_virtual_camera
from runtime.sound import Sound

_HOLD_S = 0.5  # a reader waits for the next picture no longer than this
_CLOSE_S = 0.5  # closing does not wait longer for a driver that hangs
_GREY = 48  # of the picture that is shown before the first one

logger = logging.getLogger(__name__)


class VirtualCamera:
    """Feeds a virtual camera, opened once.

    It never starves a reader: while nothing new comes, the last picture is sent again twice a second, at first a
    dark grey one, or what `hold` was given.
    """

    name: ClassVar[str] = "virtual-camera"
    shows: ClassVar[bool] = True

    def __init__(
        self,
        size: tuple[int, int],
        fps: int,
        device: str | None = None,
        open_device: Callable[[tuple[int, int], int, str | None], Device] | None = None,
    ) -> None:
        """Opens `device` (a path such as /dev/video10, or a camera's name), or the first that is free.

        Raises:
            InputError: odd size, or no camera that can be fed; says which and what to do.
            AgentError: the camera opened and takes no picture.
        """
        if size[0] % 2 or size[1] % 2:
            raise InputError(f"a virtual camera cannot be {size[0]}x{size[1]}: give an even --size")
        self._device = (open_device or open_virtual_camera)(size, fps, device)
        self._changed = threading.Condition()  # its lock guards all below and the device
        self._last = _to_i420(np.full((size[1], size[0], 3), _GREY, np.uint8))
        self._closed = self._freed = False
        self._failure: AgentError | None = None
        try:
            self._show(self._last)
        except AgentError:
            self._device.close()
            raise
        self._holder = threading.Thread(target=self._hold, name="virtual camera hold", daemon=True)
        self._holder.start()

    @property
    def device(self) -> str:
        """Path or name by which other programs open it."""
        return self._device.device

    def send(self, picture: Picture) -> None:
        """Shows one picture. Raises AgentError if the device fails, or did while the last picture was held."""
        self.hold(picture.image)

    def hold(self, image: UInt8[np.ndarray, "h w 3"]) -> None:
        """Shows an RGB image of the camera's size until another comes. Raises AgentError as `send` does."""
        frame = _to_i420(image)
        with self._changed:
            if self._failure is not None:
                raise self._failure
            self._show(frame)
            self._last = frame
            self._changed.notify()

    def hear(self, sound: Sound) -> None:
        """Cameras are silent."""

    def close(self, complete: bool = True) -> None:
        """Frees the device, unless its driver hangs, whether the run was `complete` or not. May be called twice."""
        if self._freed:
            return
        self._closed = True  # without the lock: a driver that answers later is shown nothing more
        if not self._changed.acquire(timeout=_CLOSE_S):
            logger.warning("virtual camera %s does not answer and is left behind", self._device.device)
            return
        self._changed.notify()
        self._changed.release()
        self._holder.join()
        self._device.close()
        self._freed = True

    def _show(self, frame: UInt8[np.ndarray, "n w"]) -> None:
        """Gives the device a frame. Raises AgentError."""
        try:
            self._device.send(frame)
        except (RuntimeError, OSError) as error:
            raise AgentError(f"virtual camera {self._device.device} takes no more pictures: {error}") from error

    def _hold(self) -> None:
        """The thread: shows the last picture again when no other came in time."""
        with self._changed:
            while not self._closed:
                if not self._changed.wait(_HOLD_S) and not self._closed:
                    try:
                        self._show(self._last)
                    except AgentError as failure:
                        self._failure = failure
                        return


def _to_i420(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "n w"]:
    """BT.601, limited range: what readers of a camera expect."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
