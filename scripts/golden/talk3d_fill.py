"""The rule that fills Talk3D's networks: the idea of `fill` with other numbers, which its reference was made with."""

import math
from collections.abc import Mapping

import numpy as np

from golden.fill import COUNTER, Shape, Weights, generator

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
        return place_code()
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


def place_code() -> np.ndarray:
    """[1, 1024, 768]: the transformer's code of places, which the released weights hold.

    Sines and cosines of a place's three coordinates in a cube of 32, cut to 256 numbers, and of these, for each plane,
    the mean of the two middle layers across it.
    """
    side, wide, cut = 32, 86, 256
    rates = np.float32(1) / np.power(np.float32(10000), np.arange(0, wide, 2, dtype=np.float32) / np.float32(wide))
    waves = np.arange(side, dtype=np.float32)[:, None] * rates
    code = np.stack([np.sin(waves), np.cos(waves)], -1).reshape(side, wide)
    axes = [code[:, None, None], code[None, :, None], code[None, None, :]]
    cube = np.concatenate([np.broadcast_to(axis, (side, side, side, wide)) for axis in axes], -1)[..., :cut]
    middle = slice(side // 2 - 1, side // 2 + 1)
    planes = [cube[:, :, middle].mean(2), cube[middle].mean(0), cube[:, middle].mean(1)]
    return np.concatenate([plane.reshape(side**2, cut) for plane in planes], 1)[None]
