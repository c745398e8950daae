"""The other end of an output, in a process of its own: reads what any program would, and when.

`Reader` is the side of the bench; `python -m agent.bench.reader` is the other one.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO

import cv2
import numpy as np
from jaxtyping import UInt8

from agent.bench.stamp import HEIGHT_PX, read_stamp
from agent.mjpeg import read_jpegs

THUMB_PX = 48
"""Width and height of the thumbnails."""

_HEAD = np.dtype([("at_ns", "<i8"), ("code", "<i4"), ("thumb", "u1", (THUMB_PX, THUMB_PX))])
_READY = b"."

Thumb = UInt8[np.ndarray, "48 48"]
Image = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A picture that came out."""

    at_ns: int
    """When it was there, by the machine's monotonic clock, before it was decoded."""
    code: int | None
    """Of its stamp, if it had one."""
    thumb: Thumb
    """Its luma, without the rows that stamps take."""


class Reader:
    """Reads an output until it is closed."""

    def __init__(self, output: str, where: str) -> None:
        """`output`: "preview", `where` its URL; or "virtual-camera", `where` its device. Waits until it could read."""
        self.readings: list[Reading] = []
        """What was read so far, in order. Another thread appends to it."""
        command = [sys.executable, "-P", "-m", "agent.bench.reader", output, where]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.read(len(_READY))
        self._thread = threading.Thread(target=self._collect, name="bench reader", daemon=True)
        self._thread.start()

    def close(self) -> str:
        """Ends the process; returns the last line that it complained with, "" if it did not. May be called twice."""
        self._process.kill()
        self._thread.join()
        assert self._process.stderr is not None
        if self._process.stderr.closed:
            return ""
        with self._process.stderr as complaints:
            lines = complaints.read().decode(errors="replace").strip().splitlines()
        self._process.wait()
        return lines[-1] if lines else ""

    def _collect(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as records:
            while len(data := records.read(_HEAD.itemsize)) == _HEAD.itemsize:
                (record,) = np.frombuffer(data, _HEAD)
                code = int(record["code"])
                self.readings.append(Reading(int(record["at_ns"]), None if code < 0 else code, record["thumb"]))


def thumb_of(image: Image) -> Thumb:
    """A small grey picture of what is below the stamp."""
    small = cv2.resize(image[HEIGHT_PX:], (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA)
    return small.mean(axis=2).astype(np.uint8)


def jpegs_of(url: str) -> Iterator[tuple[int, Callable[[], Image | None]]]:
    """Pictures of the preview page's stream: when each was there, and how to decode it."""
    for at_ns, jpeg in read_jpegs(url):
        yield at_ns, partial(cv2.imdecode, np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def frames_of(device: str) -> Iterator[tuple[int, Callable[[], Image | None]]]:
    """Pictures of a virtual camera, the same way, as OpenCV gives them."""
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
    while capture.grab():
        yield time.monotonic_ns(), lambda: capture.retrieve()[1]


def tell(pictures: Iterator[tuple[int, Callable[[], Image | None]]], out: IO[bytes]) -> None:
    """Writes what there is to be known of each picture."""
    for at_ns, decode in pictures:
        image = decode()
        if image is not None:
            code = read_stamp(image[:, :, 1])
            record = np.array((at_ns, -1 if code is None else code, thumb_of(image)), _HEAD)
            out.write(record.tobytes())
            out.flush()


if __name__ == "__main__":
    output, where = sys.argv[1:]
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    tell(jpegs_of(where) if output == "preview" else frames_of(where), sys.stdout.buffer)
