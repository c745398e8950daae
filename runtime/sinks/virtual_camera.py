"""A virtual camera that other programs use like a real one: v4l2loopback on Linux, OBS elsewhere."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Protocol

import cv2
import numpy as np
from jaxtyping import UInt8

from models.errors import InputError
from runtime.frame import Picture, Sound

_HOLD_S = 0.4  # some programs take a camera for dead that is silent for half a second
_DARK_GREY = 48
_LOAD = "sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label=Avatar"
_RELOAD = f"sudo modprobe -r v4l2loopback && {_LOAD}"
_DEVICES = Path("/sys/devices/virtual/video4linux")
_MODULE = Path("/sys/module/v4l2loopback")


class Camera(Protocol):
    """What `VirtualCamera` needs of an open device."""

    def send(self, frame: UInt8[np.ndarray, "rows w"]) -> None:
        """Shows one I420 picture; rows are 3/2 of the height."""
        ...

    def close(self) -> None:
        """Frees the device."""
        ...


OpenCamera = Callable[[tuple[int, int], float, str | None], Camera]
"""Opens a device by size (width, height), fps and name (None: the first one). Raises InputError."""


def list_virtual_cameras(devices: Path = _DEVICES) -> list[tuple[str, str]]:
    """The virtual cameras of this Linux machine as (device, name), by number; elsewhere none can be listed."""
    found = [
        (int(entry.name.removeprefix("video")), (entry / "name").read_text("utf-8").strip())
        for entry in devices.glob("video*")
    ]
    return [(f"/dev/video{number}", name) for number, name in sorted(found)]


def open_camera(size: tuple[int, int], fps: float, device: str | None) -> Camera:
    """Opens a device through pyvirtualcam. Raises InputError with the remedy where there is none."""
    try:
        import pyvirtualcam
    except ImportError as error:
        raise InputError(
            f"There is no virtual camera on this system ({error}): choose another output, such as preview."
        ) from error
    if sys.platform == "linux":
        _check_linux(device, _DEVICES, _MODULE)
    try:
        return pyvirtualcam.Camera(*size, fps, fmt=pyvirtualcam.PixelFormat.I420, device=device)  # type: ignore[no-any-return]  # pyvirtualcam has no types
    except RuntimeError as error:
        raise InputError(_remedy(str(error), device, sys.platform)) from error


def _check_linux(device: str | None, devices: Path, module: Path) -> None:
    """Raises InputError where pyvirtualcam would fail, or open a camera that browsers do not see."""
    if not module.is_dir():
        raise InputError(
            f"There is no virtual camera, as the module v4l2loopback is not loaded: {_LOAD} "
            "(where it is not installed: sudo apt-get install v4l2loopback-dkms)."
        )
    known = list_virtual_cameras(devices)
    if not known:
        raise InputError(f"The module v4l2loopback is loaded but has no camera: {_RELOAD}.")
    if device is not None and device not in dict(known):
        choices = ", ".join(f"{path} ({name})" for path, name in known)
        raise InputError(f"{device} is not a virtual camera: choose one of {choices}.")
    flags = (module / "parameters" / "exclusive_caps").read_text("utf-8").split(",")
    index = 0 if device is None else [path for path, _ in known].index(device)
    if flags[index].strip() != "Y":
        raise InputError(f"Browsers would not see {known[index][0]}, as it lacks exclusive_caps: {_RELOAD}.")


def _remedy(reason: str, device: str | None, platform: str) -> str:
    """What to do about an error of pyvirtualcam, in one line."""
    which = device or "the virtual camera"
    if platform != "linux":
        return (
            f"Cannot open the virtual camera ({' '.join(reason.split())}): install OBS from obsproject.com, "
            "start its virtual camera once, stop it and quit OBS."
        )
    if "missing permissions" in reason:
        return f"No permission to open {which}: sudo usermod -aG video $USER, then log out and in."
    if "not a video output device" in reason or "No v4l2 loopback device" in reason:
        return (
            f"Cannot write to {which}: another program feeds it (close that), or v4l2loopback 0.12 has let it "
            f"be opened once and not again: {_RELOAD} (0.13 and later do not need this)."
        )
    if "in use" in reason or "busy" in reason:
        return f"Another program feeds {which}: close it, or choose another camera."
    return f"Cannot open {which} ({' '.join(reason.split())}): {_RELOAD}."


class VirtualCamera:
    """Feeds a virtual camera, and repeats the last picture while none comes so that no reader starves.

    It is opened once and stays open. Before the first picture it shows dark grey.
    """

    name: ClassVar[str] = "virtual-camera"

    def __init__(
        self,
        size: tuple[int, int],
        fps: float,
        device: str | None = None,
        *,
        opener: OpenCamera = open_camera,
    ) -> None:
        """Opens `device` (None: the first one) for pictures of `size` (width, height; even, px) at `fps`.

        Raises InputError with the remedy when it cannot be opened.
        """
        width, height = size
        if width % 2 or height % 2:
            raise InputError(f"A camera cannot be {width}×{height} px: choose an even size, such as 512.")
        self._size = size
        self._camera = opener(size, fps, device)
        self._fresh = threading.Condition()
        self._closed = False
        self._sent = 0
        self._show(np.full((height, width, 3), _DARK_GREY, np.uint8))
        self._thread = threading.Thread(target=self._hold, name="virtual-camera", daemon=True)
        self._thread.start()

    def send(self, picture: Picture) -> None:
        """Shows one picture. Raises ValueError for another size."""
        height, width = picture.image.shape[:2]
        if (width, height) != self._size:
            raise ValueError(f"the camera shows {self._size} pictures, not {(width, height)}")
        self._show(picture.image)

    def _show(self, image: UInt8[np.ndarray, "h w 3"]) -> None:
        i420 = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)  # BT.601, limited range: what readers assume
        with self._fresh:
            if self._closed:
                return
            self._last = i420
            self._camera.send(i420)
            self._sent += 1
            self._fresh.notify()

    def _hold(self) -> None:
        """Repeats the last picture whenever none was sent for a while."""
        with self._fresh:
            while not self._closed:
                sent = self._sent
                self._fresh.wait(_HOLD_S)
                if sent == self._sent and not self._closed:
                    self._camera.send(self._last)

    def hear(self, sound: Sound) -> None:
        """A camera is silent."""

    def close(self) -> None:
        """Ends the stream and frees the device."""
        with self._fresh:
            if self._closed:
                return
            self._closed = True
            self._fresh.notify()
        self._thread.join()
        self._camera.close()
