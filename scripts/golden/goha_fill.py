"""The rule that fills GOHA's networks: the idea of `fill` with other numbers, which its reference was made with."""

import math
from collections.abc import Mapping

import numpy as np

from golden.fill import COUNTER, Shape, Weights, generator

DECODER = {"decoder.net.2.weight": 3.0}
"""Factors on single weights: without them the density would hardly vary."""
FRAME_DECODER = {"decoder.net.0.weight": 100.0, "decoder.net.2.weight": 3.0}
"""The same for such planes as networks filled by the rule make."""
_DENSER = 3.0
_IMAGENET = {"image_mean": (0.485, 0.456, 0.406), "image_std": (0.229, 0.224, 0.225)}


def fill(shapes: Mapping[str, Shape], factors: Mapping[str, float]) -> Weights:
    """All weights of a network, float32; counters int64."""
    weights = {name: _entry(name, shape) for name, shape in shapes.items()}
    for name in factors.keys() & weights.keys():
        weights[name] *= np.float32(factors[name])
    return weights


def _entry(name: str, shape: Shape) -> np.ndarray:
    last = name.rsplit(".", 1)[-1]
    if last == COUNTER:
        return np.zeros(shape, np.int64)
    if name in _IMAGENET:
        return np.array(_IMAGENET[name], np.float32).reshape(shape)
    if name in ("cano_pose", "cano_exemplar"):  # nothing depends on them here
        return np.zeros(shape, np.float32)
    if name == "uv":
        return _lattice(math.isqrt(shape[1]))
    return np.asarray(_value(name, last, generator(name).standard_normal(shape)), np.float32)


def _value(name: str, last: str, noise: np.ndarray) -> np.ndarray:
    if last == "running_var":
        return 1 + 0.1 * np.abs(noise)
    if last in ("bias", "running_mean"):
        value = 0.1 * noise
        if name == "decoder.net.2.bias":
            value[0] += _DENSER
        return value
    if last != "weight":
        return noise  # the decoder's own noise
    return 1 + 0.1 * noise if noise.ndim == 1 else noise / math.sqrt(math.prod(noise.shape[1:]))


def _lattice(side: int) -> np.ndarray:
    places = np.linspace(-1, 1, side).astype(np.float32)
    down, right = np.meshgrid(places, places, indexing="ij")
    return np.stack([right, down], -1).reshape(1, -1, 2)
