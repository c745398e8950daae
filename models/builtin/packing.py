"""An avatar's parts in a package: geometry in small whole numbers, pictures as small as they may look."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from models.builtin.avatar import BuiltinAvatar
from models.builtin.constants import TABLE
from models.builtin.package import Package
from models.builtin.package_check import GONE_SCALE
from models.builtin.package_pictures import Atlas, lossless, lossy, smaller, soften_margin
from models.builtin.part import Part
from models.errors import InputError
from models.expression import EYES, SHUT, WIDE_GAIN
from models.motion import CAMERA_DISTANCE, COEFFICIENTS
from models.pose import NECK_PIVOT
from models.topology import CHIN, FACE_OVAL, FOREHEAD_TOP, LOWER_LIP, SURFACE_COUNT, UPPER_LIP

_QUALITIES = (92, 90, 88, 86, 84, 82, 80, 77, 74, 70)
_ATLAS_QUALITY, _GONE_QUALITY = 92, 85
_ENOUGH, _MOST = 100_000, 150_000  # bytes of a package of 512 x 512 pixels
_WORTH = 82  # the quality for which a package may have more than enough bytes
_MATTE_STEP = 4
_LEAST_WEIGHT = 1 / 512  # of a point of the outline


@dataclass(frozen=True, slots=True)
class _Scaled:
    """Whole numbers, and by what to multiply them."""

    values: np.ndarray
    unit: object


def pack(avatar: BuiltinAvatar) -> bytes:
    """The avatar's package. Raises InputError for one without background."""
    parts = avatar.for_player()
    if "backdrop" not in parts:
        raise InputError("A call shows the person before a background: choose another than transparent.")
    numbers, arrays = _geometry(parts)
    atlas = Atlas({f"{part}.{name}": layer for part, name, layer in _layers(parts)})
    numbers["atlas"] = atlas.places
    package = Package(numbers, arrays, _pictures(parts, atlas))
    return _as_good_as_fits(package, parts)


def _as_good_as_fits(package: Package, parts: Mapping[str, Part]) -> bytes:
    """The package with its two large pictures, of the best quality for which it is small enough."""
    person, backdrop = parts["person"], parts["backdrop"].layers["rest"]
    sheet = person.layers["sheet"]
    colours = soften_margin(sheet[..., :3], sheet[..., 3], person.numbers["margin"])
    enough, most = (limit * backdrop.shape[0] * backdrop.shape[1] / 512**2 for limit in (_ENOUGH, _MOST))

    def packed(quality: int) -> bytes:
        seen = {"sheet": lossy(colours, quality), "backdrop": lossy(backdrop, quality)}
        return replace(package, pictures=package.pictures | seen).to_bytes()

    first = bisect_left(_QUALITIES, True, key=lambda quality: len(packed(quality)) <= enough)
    quality = _QUALITIES[min(first, len(_QUALITIES) - 1)]
    data = packed(max(quality, _WORTH))
    return data if len(data) <= most else packed(quality)


def _layers(parts: Mapping[str, Part]) -> Iterable[tuple[str, str, np.ndarray]]:
    """Small ones that are painted over the person."""
    for part in ("right_eye", "left_eye", "mouth"):
        for name, layer in parts[part].layers.items():
            yield part, name, layer


def _pictures(parts: Mapping[str, Part], atlas: Atlas) -> dict[str, bytes]:
    """All but the two large ones."""
    backdrop = parts["backdrop"].layers
    return {
        "matte": lossless(parts["person"].layers["sheet"][..., 3], _MATTE_STEP),
        "gone": lossy(smaller(backdrop["gone"], GONE_SCALE), _GONE_QUALITY),
        "where": lossless(backdrop["where"]),
        "atlas": lossy(atlas.colours, _ATLAS_QUALITY),
        "atlas_alpha": lossless(atlas.alpha),
    }


def _geometry(parts: Mapping[str, Part]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    puppet, person, relief = parts["puppet"], parts["person"], parts["relief"]
    seen = np.union1d(
        person.arrays["surround"][person.arrays["surround"] >= SURFACE_COUNT] - SURFACE_COUNT,
        [puppet.numbers["on_torso"]],
    )
    renumbered = np.concatenate([np.arange(SURFACE_COUNT), np.zeros(len(puppet.arrays["grid"]), np.int64)])
    renumbered[SURFACE_COUNT + seen] = SURFACE_COUNT + np.arange(len(seen))
    weights = puppet.arrays["outline_weights"][seen]
    followers = np.flatnonzero(weights.max(1) > _LEAST_WEIGHT)
    basis = puppet.arrays["basis"].transpose(0, 2, 1)
    scaled = {
        "landmarks": _scaled(puppet.arrays["landmarks"].T, 32767),
        "grid": _scaled(puppet.arrays["grid"][seen].T, 32767),
        "steadier": _scaled(puppet.arrays["steadier"][seen], 32767),
        "basis": _scaled(basis, 127, per=(1, 2)),
        "folds": _scaled(relief.arrays["folds"], 127),
    }
    parted = [_sorted(renumbered[person.arrays[name]]) for name in ("skin", "surround", "strips")]
    arrays = {name: each.values for name, each in scaled.items()} | {
        "triangles": _differences(np.vstack(parted)).astype("<i2"),
        "head_weight": _parts(puppet.arrays["head_weight"][seen]),
        "followers": followers.astype("<u2"),
        "outline_weights": _parts(weights[followers].T),
        "skull": _parts(puppet.arrays["skull"]),
        "grin": np.rint(127 * puppet.arrays["grin"]).astype(np.int8),
    }
    arrays["grid"] = np.diff(arrays["grid"], axis=1, prepend=np.int16(0))
    height, width = parts["backdrop"].layers["rest"].shape[:2]
    numbers: dict[str, Any] = {
        "size": [width, height],
        "expression": {"wide_gain": WIDE_GAIN, "shut": SHUT, "camera": CAMERA_DISTANCE, "neck": NECK_PIVOT},
        "coefficients": COEFFICIENTS,
        "topology": {
            "lips": [UPPER_LIP, LOWER_LIP],
            "eyes": [{"upper": eye.upper, "lower": eye.lower, "iris": eye.iris[0]} for eye in EYES],
            "oval": FACE_OVAL,
            "chin": CHIN,
            "forehead": FOREHEAD_TOP,
        },
        "units": {name: each.unit for name, each in scaled.items()},
        "skin": len(person.arrays["skin"]),
        "parts": {name: part.numbers for name, part in parts.items() if name != "backdrop"},
    }
    on_torso = int(np.searchsorted(seen, puppet.numbers["on_torso"]))
    numbers["parts"] |= {"puppet": {**puppet.numbers, "on_torso": on_torso}}
    return {**_plain(numbers), "constants": TABLE}, arrays


def _scaled(values: np.ndarray, most: int, per: tuple[int, ...] | None = None) -> _Scaled:
    """Rounded so that the largest, of all or along axes, becomes `most`."""
    unit = np.maximum(np.abs(values).max(axis=per, keepdims=per is not None), 1e-9) / most
    kind = "<i1" if most == 127 else "<i2"
    return _Scaled(np.rint(values / unit).astype(kind), unit.ravel() if per else float(unit))


def _parts(weights: Float[np.ndarray, "..."]) -> np.ndarray:
    return np.rint(255 * np.clip(weights, 0, 1)).astype(np.uint8)


def _sorted(triangles: Int[np.ndarray, "t 3"]) -> Int[np.ndarray, "t 3"]:
    """The same triangles, the least vertex of each first, in its order."""
    first = triangles.argmin(1)[:, None]
    turned = np.take_along_axis(triangles, (first + np.arange(3)) % 3, axis=1)
    return turned[np.lexsort(turned.T[::-1])]


def _differences(triangles: Int[np.ndarray, "t 3"]) -> Int[np.ndarray, "3 t"]:
    """First vertices from those of the triangle before, the others from the first."""
    first = triangles[:, 0]
    return np.stack([np.diff(first, prepend=0), triangles[:, 1] - first, triangles[:, 2] - first])


def _plain(value: Any) -> Any:
    """As JSON takes it, with seven digits of every number."""
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case np.ndarray() | list() | tuple():
            return [_plain(each) for each in value]
        case float() | np.floating():
            return float(f"{value:.7g}")
        case np.integer():
            return int(value)
        case _:
            return value
