"""An avatar as bytes: what a player in another program needs to draw a portrait under any motion.

    b"AVATAR", version (2 bytes), length of the header (4 bytes), header, blobs          numbers are big-endian

The header is JSON in UTF-8, compressed by zlib. Its `arrays` and `pictures` say in which order the blobs follow, how
long each is, and what is in it; the rest is numbers. Arrays are compressed by zlib, pictures are WebP files.
docs/avatar_package.md says what each is for. Readers take nothing on trust: every length, shape, index and size is
checked before it is used.
"""

import json
import zlib
from dataclasses import dataclass
from io import BytesIO
from struct import Struct
from typing import Any

import numpy as np
from PIL import Image

from models.builtin.package_check import MOST_SIDE, check, whole
from models.errors import InputError

VERSION = 1
MOST_BYTES = 400_000
MOST_HEADER = 1 << 16
MOST_VALUES = 1 << 18
"""Numbers in an array."""

_MAGIC = b"AVATAR"
_HEAD = Struct(">6sHI")
_TYPES: dict[str, np.dtype[Any]] = {
    "u1": np.dtype("<u1"),
    "i1": np.dtype("<i1"),
    "u2": np.dtype("<u2"),
    "i2": np.dtype("<i2"),
}
_MOST_ARRAYS, _MOST_PICTURES = 32, 16
_DAMAGE = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, zlib.error, OSError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """What an avatar package holds."""

    numbers: dict[str, Any]
    """As JSON has them."""
    arrays: dict[str, np.ndarray]
    """int8, uint8, int16 or uint16, row by row; what a unit is, `numbers` says."""
    pictures: dict[str, bytes]
    """WebP files, RGB or grey, opaque."""

    def to_bytes(self) -> bytes:
        """The package's file. Raises ValueError when something is larger than readers take."""
        arrays, pictures, blobs = [], [], []
        for name, array in self.arrays.items():
            kind = array.dtype.str[-2:]
            blobs.append(zlib.compress(np.ascontiguousarray(array, _TYPES[kind]).tobytes(), 9))
            arrays.append({"name": name, "bytes": len(blobs[-1]), "type": kind, "shape": list(array.shape)})
        for name, picture in self.pictures.items():
            width, height = picture_size(picture)
            blobs.append(picture)
            pictures.append({"name": name, "bytes": len(picture), "size": [width, height]})
        told = json.dumps({**self.numbers, "arrays": arrays, "pictures": pictures}, separators=(",", ":"))
        header = zlib.compress(told.encode(), 9)
        data = b"".join([_HEAD.pack(_MAGIC, VERSION, len(header)), header, *blobs])
        if len(data) > MOST_BYTES or len(told) > MOST_HEADER:
            raise ValueError(f"a package of {len(data)} bytes with {len(told)} bytes of header")
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> "Package":
        """Reads a package from anywhere. Raises InputError when it is not one that can be drawn safely."""
        try:
            package = cls(*_read(data))
            check(package.numbers, package.arrays, {name: picture_size(it) for name, it in package.pictures.items()})
        except _DAMAGE as error:
            raise InputError(f"The avatar package is damaged or not one ({error}); ask for it again.") from error
        return package


def _read(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, bytes]]:
    if not _HEAD.size <= len(data) <= MOST_BYTES:
        raise ValueError(f"{len(data)} bytes long")
    magic, version, length = _HEAD.unpack_from(data)
    if magic != _MAGIC or version != VERSION:
        raise ValueError(f"version {version}" if magic == _MAGIC else "other content")
    at = _HEAD.size + length
    if at > len(data):
        raise ValueError("cut short")
    numbers = json.loads(_inflated(data[_HEAD.size : at], MOST_HEADER), parse_constant=_refuse)
    arrays, pictures = {}, {}
    listed, shown = numbers.pop("arrays"), numbers.pop("pictures")
    if not 0 < len(listed) <= _MOST_ARRAYS or not 0 < len(shown) <= _MOST_PICTURES:
        raise ValueError("too many parts")
    for entry in [*listed, *shown]:
        size = whole(entry["bytes"], 1, MOST_BYTES)
        blob, at = data[at : at + size], at + size
        if len(blob) < size:
            raise ValueError("cut short")
        if "shape" in entry:
            arrays[str(entry["name"])] = _array(blob, entry["type"], entry["shape"])
        else:
            if list(picture_size(blob)) != [whole(side, 1, MOST_SIDE) for side in entry["size"]]:
                raise ValueError("a picture of another size")
            pictures[str(entry["name"])] = blob
    if at != len(data):
        raise ValueError("more than it says")
    return numbers, arrays, pictures


def _array(blob: bytes, kind: str, shape: list[int]) -> np.ndarray:
    count = 1
    for side in shape:
        count *= whole(side, 1, MOST_VALUES)
    dtype = _TYPES[kind]
    if count > MOST_VALUES:
        raise ValueError("an array that is too large")
    values = _inflated(blob, count * dtype.itemsize)
    if len(values) != count * dtype.itemsize:
        raise ValueError("an array of another size")
    return np.frombuffer(values, dtype).reshape(shape)


def _inflated(blob: bytes, most: int) -> bytes:
    """Raises ValueError where more than `most` bytes come out."""
    inflater = zlib.decompressobj()
    out = inflater.decompress(blob, most)
    if not inflater.eof and inflater.decompress(inflater.unconsumed_tail, 1):
        raise ValueError("more than it says")
    if not inflater.eof or inflater.unused_data:
        raise ValueError("not compressed as it should be")
    return out


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height of a plain WebP file, which is not decoded. Raises ValueError for another."""
    if data[12:16] not in (b"VP8 ", b"VP8L"):
        raise ValueError("an unusual picture")
    with Image.open(BytesIO(data), formats=("WEBP",)) as picture:
        width, height = picture.size
    return whole(width, 1, MOST_SIDE), whole(height, 1, MOST_SIDE)


def _refuse(text: str) -> None:
    raise ValueError(f"{text} as a number")
