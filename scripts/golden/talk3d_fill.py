"""The rule that fills Talk3D's networks: the idea of `fill` with other numbers, which its reference was made with."""

import math
from collections.abc import Mapping

import numpy as np

from golden.fill import COUNTER, Shape, Weights, generator
from models.talk3d.places import place_code

_UNUSED = ("w_avg", "dataset_label_std", COUNTER)
_NOISE = ("noise_const", "const")


def fill(names: Mapping[str, Shape]) -> Weights:
    """All weights, float32; counters int64. Each is seeded by its name in its network, which follows a slash."""
    return {name: _entry(*name.split("/"), shape) for name, shape in names.items()}


def _entry(network: str, name: str, shape: Shape) -> np.ndarray:
    last = name.rsplit(".", 1)[-1]
    if last in _UNUSED:
        return np.zeros(shape, np.int64 if last == COUNTER else np.float32)
    if last == "resample_filter":
        return np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64
    if last == "pos_emb":
        return place_code(math.isqrt(shape[1]), shape[2] // 3).numpy()
    noise = generator(name).standard_normal(shape)
    if last == "running_var":
        value = 1 + 0.1 * np.abs(noise)
    elif last in _NOISE or ".noises." in name:
        value = noise
    elif name.endswith(("affine.bias", "modulation.bias")):
        value = 1 + 0.1 * noise
    elif last != "weight":  # biases, running means, strengths of noise
        value = 0.1 * noise
    else:
        value = _weight(network, name, noise)
    if ".mapping.fc" in name:
        value = 100 * value  # the layers multiply by a hundredth
    return np.asarray(value, np.float32)


def _weight(network: str, name: str, noise: np.ndarray) -> np.ndarray:
    if network == "generator":
        if name == "decoder.net.2.weight":
            noise[0] *= 15  # density varies more than colours do
        return noise
    if name.endswith("constant_input.weight"):
        return noise
    if noise.ndim == 1:
        return 0.1 * noise if network == "restoration" else 1 + 0.1 * noise
    return noise / math.sqrt(math.prod(noise.shape[2 if noise.ndim == 5 else 1 :]))
