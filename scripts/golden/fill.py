"""The rule that fills networks: every weight is drawn from a generator seeded by its own name.

So any implementation with the same names has the same weights, and none needs to be stored.
"""

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

Shape = tuple[int, ...]
Weights = dict[str, np.ndarray]

COUNTER = "num_batches_tracked"
"""The only integers in any network."""

FACTORS = {
    "running_mean": 0.1,
    "noise_const": 1.0,
    "noise_strength": 0.1,
    "mouth_amp_embed": 1.0,
}
"""Entries that are plain noise, by the last part of their name."""


def generator(name: str) -> np.random.Generator:
    """Random numbers that belong to a name."""
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))


def read_manifest(path: Path) -> dict[str, Shape]:
    """Names and shapes of a network's weights: one per line, the name and its dimensions."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {name: tuple(map(int, shape)) for name, *shape in lines}


def fill(shapes: Mapping[str, Shape]) -> Weights:
    """All weights of a network, float32; counters int64."""
    weights = {name: _entry(name, shape) for name, shape in shapes.items()}
    for name in [name for name in weights if name.endswith(".weight_orig")]:
        stem = name.removesuffix("orig")
        weights[stem + "u"], weights[stem + "v"] = _singular_vectors(weights[name])
    return weights


def fill_tensors(shapes: Mapping[str, Sequence[int]]) -> dict[str, torch.Tensor]:
    """The same as a state dict."""
    return {name: torch.from_numpy(value) for name, value in fill({k: tuple(v) for k, v in shapes.items()}).items()}


def _entry(name: str, shape: Shape) -> np.ndarray:
    last = name.rsplit(".", 1)[-1]
    if last == COUNTER:
        return np.zeros(shape, np.int64)
    if last == "resample_filter":
        return np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64
    if last in ("weight_u", "weight_v") and len(shape) == 1:
        return np.zeros(shape, np.float32)  # they follow from weight_orig
    if last.startswith("lambda_"):
        return np.full(shape, 0.001, np.float32)
    return np.asarray(_value(name, last, generator(name).standard_normal(shape)), np.float32)


def _value(name: str, last: str, noise: np.ndarray) -> np.ndarray:
    if last in FACTORS:
        return FACTORS[last] * noise
    if last == "running_var":
        return 1 + 0.2 * np.abs(noise)
    if last == "weight_g" or (last == "weight" and noise.ndim == 1):
        return 1 + 0.1 * noise
    if last == "bias":
        return _bias(name, 0.05 * noise)
    for ending, scaled in _BY_ENDING.items():
        if name.endswith(ending):
            return scaled(noise)
    gain = math.sqrt(2) if noise.ndim >= 4 and ".encoder.layer" not in name else 1.0
    return noise * (gain / math.sqrt(math.prod(noise.shape[1:])))


def _bias(name: str, value: np.ndarray) -> np.ndarray:
    if name.endswith("affine.bias"):
        return 1 + value
    if name == "decoder.net.2.bias":
        value[0] = -20  # empty space is nearly transparent
    return value


def _density_row(noise: np.ndarray) -> np.ndarray:
    """The decoder's last layer: density varies more than colours do."""
    return np.concatenate([10 * noise[:1], noise[1:]])


_BY_ENDING: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "_embed.weight": lambda noise: 0.5 * noise,
    "decoder.net.0.weight": lambda noise: noise,
    "decoder.net.2.weight": _density_row,
    "prenet.weight": lambda noise: noise,
    "affine.weight": lambda noise: 0.2 * noise,
    "torgb.weight": lambda noise: 0.25 * noise,
}


def _singular_vectors(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step of power iteration from a constant vector."""
    matrix = weight.astype(np.float64).reshape(len(weight), -1)
    v = matrix.T @ np.full(len(matrix), len(matrix) ** -0.5)
    v /= np.linalg.norm(v)
    u = matrix @ v
    return (u / np.linalg.norm(u)).astype(np.float32), v.astype(np.float32)
