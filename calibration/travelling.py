"""A portrait as it travels to the other end of a call: pixels and the face in them, bounded, and looked at before use.

4 bytes      "face"
478 x 3 x 2  landmarks: x, y, z in 1/16 pixel, signed, little-endian
the rest     a JPEG of up to 1024 x 1024 pixels, RGB
"""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from calibration.portrait import choose_face
from models.errors import InputError
from models.topology import LEFT_IRIS, RIGHT_IRIS

LONGEST_PX = 1024
"""Of a side; more would not be seen."""
SHORTEST_PX = 64
MOST_BYTES = 512 * 1024

_MAGIC = b"face"
_GRID = 16  # steps in a pixel
_SHAPE = (478, 3)
_FACE_END = len(_MAGIC) + 2 * _SHAPE[0] * _SHAPE[1]
_QUALITIES = (92, 86, 78, 66, 50)
_MEAN_OFF, _MOST_OFF = 0.06, 0.3  # eye distances by which landmarks may differ from those found in the picture

Photo = UInt8[np.ndarray, "h w 3"]
Landmarks = Float32[np.ndarray, "478 3"]


@dataclass(frozen=True, slots=True, eq=False)
class Arrived:
    """A portrait that came from elsewhere and was found to be one."""

    picture: bytes
    """Its pixels, in a file that this program has written."""
    landmarks: Landmarks
    """Of its face, in pixels of the picture."""


def pack(photo: Photo, name: str, longest_px: int = LONGEST_PX, most_bytes: int = MOST_BYTES) -> bytes:
    """A photo with a face as it travels: without place, camera, names or whatever else its file holds.

    It becomes no longer than `longest_px`, and is drawn the more coarsely the fewer bytes it may have.

    Raises InputError: no face that can be used, or a photo that is far too long; calls it `name`.
    """
    landmarks, _ = choose_face(photo, name)
    factor = min(1.0, longest_px / max(photo.shape[:2]))
    small = photo if factor == 1 else cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    if min(small.shape[:2]) < SHORTEST_PX:
        raise InputError(f"{name} is too narrow for a call: use a photo of more usual proportions")
    placed = (landmarks + [0.5, 0.5, 0]) * factor - [0.5, 0.5, 0]
    head = _MAGIC + np.round(placed * _GRID).astype("<i2").tobytes()
    for quality in _QUALITIES:
        file = io.BytesIO()
        Image.fromarray(small).save(file, "JPEG", quality=quality, subsampling=0)
        if len(head) + file.tell() <= most_bytes:
            break
    return head + file.getvalue()


def unpack(data: bytes, name: str) -> Arrived:
    """What `pack` made, made anew; or a refusal of what pretends to be that.

    Raises InputError: larger than `pack` makes, of another form, damaged, without a face, or with landmarks that are
        not those of the picture's face; calls it `name`.
    """
    if len(data) > MOST_BYTES or not data.startswith(_MAGIC) or len(data) <= _FACE_END:
        raise InputError(f"{name} is not in the form of a call")
    pixels = _pixels(data[_FACE_END:], name)
    told = np.frombuffer(data[len(_MAGIC) : _FACE_END], "<i2").reshape(_SHAPE).astype(np.float32) / _GRID
    found, _ = choose_face(pixels, name)
    off = np.linalg.norm(told - found, axis=1) / np.linalg.norm(found[LEFT_IRIS[0]] - found[RIGHT_IRIS[0]])
    if off.mean() > _MEAN_OFF or off.max() > _MOST_OFF:
        raise InputError(f"{name} comes with another face than it shows")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return Arrived(file.getvalue(), told)


def _pixels(data: bytes, name: str) -> Photo:
    """Of a JPEG, whose size is read before its pixels. Raises InputError."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as file:
            if file.mode != "RGB" or not all(SHORTEST_PX <= side <= LONGEST_PX for side in file.size):
                raise InputError(f"{name} is no RGB picture of up to {LONGEST_PX}x{LONGEST_PX} pixels")
            return np.array(file)
    except InputError:
        raise
    except Exception as error:  # the library raises many kinds for what is made to harm
        raise InputError(f"{name} cannot be decoded") from error
