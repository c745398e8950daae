"""A v4l2loopback device, fed through the kernel's own interface: all else goes on while a write waits."""

import os
import struct

import numpy as np
from jaxtyping import UInt8

from runtime.video_nodes import capability_of, is_loopback, takes_pictures

_FORMAT = struct.Struct("I0P8I168x")  # struct v4l2_format: type; width, height, pixel format and what the driver sets
_VIDIOC_S_FMT = 0xC0005605 | _FORMAT.size << 16
_TYPE_VIDEO_OUTPUT = 2
_I420 = int.from_bytes(b"YU12", "little")
NOT_AN_OUTPUT = "not a video output device"
"""Of a v4l2loopback device that another program feeds, or has fed."""
NOT_LOOPBACK = "not a v4l2loopback device"
"""Of a camera with a lens, say."""


class V4l2Output:
    """A device that takes I420 frames of one size."""

    def __init__(self, path: str, size: tuple[int, int]) -> None:
        """Raises OSError: it is not there, not this user's to open, no v4l2loopback device that can be fed, or busy."""
        import fcntl

        self.device = path
        self._descriptor = os.open(path, os.O_WRONLY)
        try:
            capability = capability_of(self._descriptor)
            if not is_loopback(capability):
                raise OSError(f"{path} is {NOT_LOOPBACK}")
            if not takes_pictures(capability):
                raise OSError(f"{path} is {NOT_AN_OUTPUT}")
            fcntl.ioctl(self._descriptor, _VIDIOC_S_FMT, _FORMAT.pack(_TYPE_VIDEO_OUTPUT, *size, _I420, 0, 0, 0, 0, 0))
        except BaseException:
            os.close(self._descriptor)
            raise

    def send(self, frame: UInt8[np.ndarray, "n w"]) -> None:
        """Shows one frame. Raises OSError."""
        taken = os.write(self._descriptor, frame.data)
        if taken < frame.nbytes:
            raise OSError(f"{taken} of {frame.nbytes} bytes were taken")

    def close(self) -> None:
        """Frees the device. Once."""
        os.close(self._descriptor)
