"""Whether numbers, arrays and pictures of a package fit together: nothing in it points beyond anything else."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.builtin.constants import TABLE
from models.motion import COEFFICIENTS
from models.topology import LANDMARK_COUNT, SURFACE_COUNT

MOST_SIDE = 1536
"""Pixels of a picture's side."""
GONE_SCALE = 4
"""Picture's pixels in one, across, of what is seen of the background when the person has moved: it is smooth."""

_PICTURE = (64, 1024)  # its side, pixels
_MOST_NUMBER = 1e5
_MOST_GRID, _MOST_TRIANGLES, _MOST_FOLDS, _MOST_RELIEF = 8192, 16384, 16, 512

# How many numbers stand under each name.
_PUPPET = {
    "scale": 1, "rotation": 9, "translation": 3, "pivot": 3, "rest_yaw": 1, "hidden_knee": 1, "room": 4,
    "lid_follow": 128, "closed_jaw": 12,
}  # fmt: skip
_MOUTH = {"width": 1, "rest_area": 1, "anchor": 3, "to_portrait": 6, "bounced": 3}
_EYE = {"width": 1, "radius": 1}
_EYE_PARTS: tuple[tuple[dict[str, int], tuple[str, ...]], ...] = (
    ({"origin": 2}, ("white", "iris")),
    ({"lens_origin": 2}, ("lens",)),
    ({"crease": 18, "lid_origin": 2, "down": 2, "out": 2, "shadow": 3, "lash": 3}, ("lid",)),
)
"""What an eye may have: numbers and their layers. The first number says whether it has it."""
_EXPRESSION = {"wide_gain": 1, "shut": 2, "camera": 1, "neck": 3}
_UNITS = {"landmarks": 1, "grid": 1, "steadier": 1, "folds": 1, "basis": len(COEFFICIENTS)}

Sizes = Mapping[str, tuple[int, int]]


def check(numbers: Mapping[str, Any], arrays: Mapping[str, np.ndarray], pictures: Sizes) -> None:
    """Raises ValueError, LookupError or TypeError for what cannot be drawn safely. `pictures`: their sizes."""
    parts = numbers["parts"]
    for name, group in TABLE.items():
        _numbers(numbers["constants"][name], {key: np.size(value) for key, value in group.items()})
    _numbers(numbers["expression"], _EXPRESSION)
    _numbers(numbers["units"], _UNITS)
    _numbers(parts["puppet"], _PUPPET)
    _numbers(parts["mouth"], _MOUTH)
    if len(_list(numbers["coefficients"], 64, 64)) != len(set(map(str, numbers["coefficients"]))):
        raise ValueError("coefficients")
    _topology(numbers["topology"])
    _geometry(numbers, arrays)
    _folds(parts["relief"], arrays["folds"])
    _pictures(numbers, pictures)


def whole(value: object, least: int, most: int) -> int:
    """`value`, if it is a whole number within bounds. Raises ValueError."""
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{value!r} as a size or index")
    return value


def _topology(told: Mapping[str, Any]) -> None:
    surfaces = [(_list(told["lips"], 2, 2)[k], 11) for k in range(2)] + [(told["oval"], 36)]
    for eye in _list(told["eyes"], 2, 2):
        surfaces += [(eye["upper"], 9), (eye["lower"], 9)]
        whole(eye["iris"], 0, LANDMARK_COUNT - 1)
    surfaces.append(([told["chin"], told["forehead"]], 2))
    for indices, count in surfaces:
        for index in _list(indices, count, count):
            whole(index, 0, SURFACE_COUNT - 1)


def _geometry(numbers: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    grid, following = arrays["grid"].shape[-1], arrays["followers"].shape[-1]
    whole(grid, 1, _MOST_GRID)
    shapes = {
        "landmarks": (3, LANDMARK_COUNT),
        "grid": (3, grid),
        "steadier": (grid,),
        "head_weight": (grid,),
        "followers": (following,),
        "outline_weights": (36, following),
        "basis": (len(COEFFICIENTS), 3, LANDMARK_COUNT),
        "skull": (LANDMARK_COUNT,),
        "grin": (LANDMARK_COUNT,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} of shape {arrays[name].shape}")
    whole(numbers["parts"]["puppet"]["on_torso"], 0, grid - 1)
    if arrays["followers"].max() >= grid:
        raise ValueError("followers")
    triangles = arrays["triangles"]
    if triangles.ndim != 2 or triangles.shape[0] != 3 or triangles.shape[1] > _MOST_TRIANGLES:
        raise ValueError("triangles")
    first = triangles[0].cumsum(dtype=np.int64)
    corners = np.stack([first, first + triangles[1], first + triangles[2]])
    skin = whole(numbers["skin"], 1, triangles.shape[1])
    if corners.min() < 0 or corners.max() >= SURFACE_COUNT + grid or corners[:, :skin].max() >= SURFACE_COUNT:
        raise ValueError("triangles")


def _folds(relief: Mapping[str, Any], stored: np.ndarray) -> None:
    width, height = (whole(side, 2, _MOST_RELIEF) for side in _list(relief["size"], 2, 2))
    count = 0
    for fold in _list(relief["folds"], 0, _MOST_FOLDS):
        rows, columns = (whole(side, 0, _MOST_RELIEF) for side in _list(fold["of"], 2, 2))
        if whole(fold["left"], 0, width) + columns > width or whole(fold["top"], 0, height) + rows > height:
            raise ValueError("folds")
        for pair in _list(fold["across"], 1, 16):
            for index in _list(pair, 2, 2):
                whole(index, 0, SURFACE_COUNT - 1)
        _numbers(fold, {"onset": 2})
        count += rows * columns
    if stored.shape != (count,):
        raise ValueError("folds")


def _pictures(numbers: Mapping[str, Any], sizes: Sizes) -> None:
    width, height = (whole(side, *_PICTURE) for side in _list(numbers["size"], 2, 2))
    margin = whole(numbers["parts"]["person"]["margin"], 0, _PICTURE[1])
    sheet, atlas = (width + 2 * margin, height + 2 * margin), sizes["atlas"]
    gone = -(-width // GONE_SCALE), -(-height // GONE_SCALE)
    wanted = {"sheet": sheet, "matte": sheet, "atlas_alpha": atlas, "gone": gone}
    for name, size in (wanted | dict.fromkeys(("backdrop", "where"), (width, height))).items():
        if sizes[name] != size:
            raise ValueError(f"picture {name}")
    for place in numbers["atlas"].values():
        left, top, w, h = (whole(side, 1, MOST_SIDE) for side in _list(place, 4, 4))
        if left + w >= atlas[0] or top + h >= atlas[1]:
            raise ValueError("atlas")
    names = {"mouth.upper", "mouth.lower"}
    for eye in ("right_eye", "left_eye"):
        told = numbers["parts"][eye]
        _numbers(told, _EYE)
        for counts, layers in _EYE_PARTS:
            if next(iter(counts)) in told:
                _numbers(told, counts)
                names |= {f"{eye}.{layer}" for layer in layers}
    if not names <= numbers["atlas"].keys():
        raise ValueError("atlas")


def _numbers(told: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        values = np.asarray(told[name], np.float64)
        if values.size != count or not (np.abs(values) <= _MOST_NUMBER).all():
            raise ValueError(name)


def _list(value: object, least: int, most: int) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError(f"{value!r} as a list"[:80])
    return value
