"""Avatar packages that must be refused, made from a good one."""

import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from models.builtin.package import MOST_BYTES
from models.builtin.package_pictures import lossy

Header = dict[str, Any]
Blobs = dict[str, bytes]


def hostile(package: bytes) -> dict[str, bytes]:
    """What is wrong -> the package."""
    header, blobs = taken_apart(package)

    def told(change: Callable[[Header], object]) -> bytes:
        changed = json.loads(json.dumps(header))
        change(changed)
        return put_together(changed, blobs)

    def stored(name: str, blob: bytes, **entry: object) -> bytes:
        changed = json.loads(json.dumps(header))
        listed = next(each for each in changed["arrays"] + changed["pictures"] if each["name"] == name)
        listed |= {"bytes": len(blob), **entry}
        return put_together(changed, blobs | {name: blob})

    def values(name: str, change: Callable[[np.ndarray], object]) -> bytes:
        listed = next(each for each in header["arrays"] if each["name"] == name)
        array = np.frombuffer(zlib.decompress(blobs[name]), "<" + listed["type"]).reshape(listed["shape"]).copy()
        change(array)
        return stored(name, zlib.compress(array.tobytes()))

    def put(path: str, value: object) -> bytes:
        def change(header: Header) -> None:
            *parents, last = path.split(".")
            for parent in parents:
                header = header[parent]
            header[last] = value

        return told(change)

    landmarks = next(each for each in header["arrays"] if each["name"] == "landmarks")
    many = zlib.compress(bytes(50_000_000))
    return {
        "nothing": b"",
        "only a head": package[:12],
        "cut within the header": package[:800],
        "cut within the last picture": package[:-1],
        "a byte too many": package + b"\0",
        "larger than any": package + bytes(MOST_BYTES),
        "something else": b"GIF89a" + package[6:],
        "another version": package[:7] + b"\2" + package[8:],
        "a header that inflates": _file(many, b""),
        "a header that is not compressed": _file(json.dumps(header).encode(), b"".join(blobs.values())),
        "a header that is no object": put_together([1], {}),
        "a header that is deep": _file(zlib.compress(b"[" * 60_000), b""),
        "an array that inflates": stored("triangles", many[:20_000] if len(many) > 20_000 else many),
        "an array that inflates as it says": stored("triangles", many, shape=[3, 16_000_000]),
        "an array that is too short": stored("landmarks", zlib.compress(b"\0" * 100)),
        "an array of another shape": stored("landmarks", blobs["landmarks"], shape=landmarks["shape"][::-1]),
        "an array of another type": stored("landmarks", blobs["landmarks"], type="f8"),
        "an array of negative size": stored("landmarks", blobs["landmarks"], shape=[-3, -478]),
        "no triangles": told(lambda header: header["arrays"].pop(_index(header["arrays"], "triangles"))),
        "a triangle beyond the vertices": values("triangles", lambda a: a.__setitem__((1, -1), 30_000)),
        "skin beyond the face": values("triangles", lambda a: a.__setitem__((1, 5), 600)),
        "a triangle before the vertices": values("triangles", lambda a: a.__setitem__((0, 0), -1)),
        "a follower beyond the grid": values("followers", lambda a: a.__setitem__(0, 65_535)),
        "more skin than triangles": put("skin", 60_000),
        "a torso beyond the grid": put("parts.puppet.on_torso", 60_000),
        "a lip beyond the face": told(lambda header: header["topology"]["lips"][0].__setitem__(3, 468)),
        "a fold beyond the relief": told(lambda header: header["parts"]["relief"]["folds"][0].update(left=90)),
        "a picture without end": put("size", [100_000, 100_000]),
        "a picture of another size": put("size", [256, 256]),
        "a picture that is larger than told": stored("gone", lossy(np.zeros((1400, 1400, 3)), 50)),
        "a picture that is none": stored("gone", b"<svg>" + bytes(100)),
        "an atlas place outside": told(lambda header: header["atlas"].update({"mouth.upper": [900, 1, 300, 9]})),
        "an eye without its layer": told(lambda header: header["atlas"].pop("left_eye.lid")),
        "a number that is none": put("parts.mouth.width", float("nan")),
        "a number that is a word": put("parts.mouth.width", "wide"),
        "a number that is huge": put("parts.mouth.width", 1e300),
        "a constant that is not told": told(lambda header: header["constants"]["eye"].pop("blur")),
        "a constant with too few numbers": put("constants.eye.blur", [0.5]),
        "parts that are nothing": put("parts", None),
    }


def taken_apart(package: bytes) -> tuple[Header, Blobs]:
    """The header, and blobs by name in their order."""
    at = 12 + int.from_bytes(package[8:12], "big")
    header, blobs = json.loads(zlib.decompress(package[12:at])), {}
    for entry in header["arrays"] + header["pictures"]:
        blobs[entry["name"]] = package[at : at + entry["bytes"]]
        at += entry["bytes"]
    return header, blobs


def put_together(header: object, blobs: Blobs) -> bytes:
    return _file(zlib.compress(json.dumps(header).encode()), b"".join(blobs.values()))


def _file(header: bytes, rest: bytes) -> bytes:
    return b"AVATAR" + (1).to_bytes(2, "big") + len(header).to_bytes(4, "big") + header + rest


def _index(entries: list[Header], name: str) -> int:
    return next(i for i, entry in enumerate(entries) if entry["name"] == name)
