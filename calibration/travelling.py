"""A portrait as it travels to the other end of a call: pixels alone, few, and its size read before anything else."""

import io

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from models.errors import InputError

LONGEST_PX = 1024
"""Of a side; more would not be seen."""
SHORTEST_PX = 64
MOST_BYTES = 512 * 1024

_QUALITIES = (92, 86, 78, 66, 50)

Photo = UInt8[np.ndarray, "h w 3"]


def pack(photo: Photo) -> bytes:
    """A JPEG of RGB pixels without anything beside them (place, camera, names), within the limits above.

    Raises InputError for a photo that is too long or too small to be a portrait.
    """
    factor = min(1.0, LONGEST_PX / max(photo.shape[:2]))
    small = photo if factor == 1 else cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    if min(small.shape[:2]) < SHORTEST_PX:
        raise InputError("the portrait is too narrow for a call: use a photo of more usual proportions")
    for quality in _QUALITIES:
        file = io.BytesIO()
        Image.fromarray(small).save(file, "JPEG", quality=quality, subsampling=0)
        if file.tell() <= MOST_BYTES:
            break
    return file.getvalue()


def unpack(data: bytes) -> Photo:
    """RGB pixels of what `pack` made, or of what pretends to be that.

    Raises InputError: larger than `pack` makes, another format, or damaged; its size is read before its pixels.
    """
    if len(data) > MOST_BYTES:
        raise InputError("the portrait has too many bytes")
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as file:
            if file.mode != "RGB" or not all(SHORTEST_PX <= side <= LONGEST_PX for side in file.size):
                raise InputError(f"the portrait is no RGB picture of up to {LONGEST_PX}x{LONGEST_PX} pixels")
            return np.array(file)
    except InputError:
        raise
    except Exception as error:  # the library raises many kinds for what is made to harm
        raise InputError("the portrait cannot be decoded") from error


def cleaned(data: bytes) -> bytes:
    """The pixels of what `pack` made as a picture file of our own making. Raises InputError as `unpack` does."""
    file = io.BytesIO()
    Image.fromarray(unpack(data)).save(file, "PNG", compress_level=1)
    return file.getvalue()
