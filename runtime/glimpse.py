"""A small picture of the camera that leaves: in a call whose user gave `--guard video`, and nowhere else.

Frames do not leave (`runtime.frame`). This is another type, which `runtime.truth.glimpses` alone makes.
"""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

MOST_BYTES = 1100
"""Of a picture: with its head it fills one packet."""
LONGEST_PX = 192
"""Of a side."""

_HEAD_BYTES = 30
_MOST_SIDE = 0x3FFF  # two more bits are a scale for showing


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What the camera sees of somebody whose portrait is not true."""

    data: bytes
    """A lossy WebP of at most `MOST_BYTES` and `LONGEST_PX`; empty says that the portrait is true again."""


def read_glimpse(data: bytes) -> UInt8[np.ndarray, "h w 3"]:
    """Pixels of a picture that came from elsewhere, RGB. Its size is read before anything is decoded.

    Raises ValueError: anything but one lossy WebP of the size of a glimpse, which is the plainest form of that format.
    """
    width, height = (int.from_bytes(data[at : at + 2], "little") & _MOST_SIDE for at in (26, 28))
    sizes = int.from_bytes(data[4:8], "little"), int.from_bytes(data[16:20], "little")
    plain = data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8 " and data[23:26] == b"\x9d\x01\x2a"
    whole = len(data) == sizes[0] + 8 == sizes[1] + sizes[1] % 2 + 20
    if not plain or not whole or not _HEAD_BYTES < len(data) <= MOST_BYTES:
        raise ValueError("no picture of the plainest form, or too large")
    if not (0 < width <= LONGEST_PX and 0 < height <= LONGEST_PX):
        raise ValueError(f"{width} x {height} pixels")
    try:
        with Image.open(io.BytesIO(data), formats=("WEBP",)) as file:
            return np.array(file.convert("RGB"))
    except Exception as error:  # the library raises many kinds for what is made to harm
        raise ValueError("it cannot be decoded") from error
