"""Weights and inputs made of names: the same everywhere, so that numbers of a network can be compared without weights.

Every entry of a state dict comes from a random generator seeded with the CRC-32 of its key. The golden files hold what
the released code answers with such weights and inputs on a CPU (torch 2.13, float32).
"""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch


def generator(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))


def fill(key: str, shape: Sequence[int]) -> torch.Tensor:
    """One entry of the audio-to-motion network's state dict."""
    last = key.rsplit(".", 1)[-1]
    if last == "num_batches_tracked":
        return torch.zeros(tuple(shape), dtype=torch.int64)
    n = generator(key).standard_normal(tuple(shape))
    if last == "running_mean":
        values = 0.1 * n
    elif last == "running_var":
        values = 1 + 0.2 * np.abs(n)
    elif last == "weight_g" or (last == "weight" and len(shape) == 1):
        values = 1 + 0.1 * n
    elif last == "bias":
        values = 0.05 * n
    elif last == "mouth_amp_embed":
        values = n
    elif key.endswith("_embed.weight"):
        values = 0.5 * n
    else:
        values = n / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(values, np.float32))


def fill_state(shapes: Mapping[str, Sequence[int]]) -> dict[str, torch.Tensor]:
    return {key: fill(key, shape) for key, shape in shapes.items()}


def speech_inputs() -> dict[str, np.ndarray]:
    """Inputs of the audio-to-motion network's golden numbers: 32 frames of sound, 16 of motion."""
    hubert = (0.3 * generator("input:hubert").standard_normal((1, 32, 1024))).astype(np.float32)
    f0 = generator("input:f0").uniform(80, 300, (1, 32))
    f0[:, 5:11] = 0
    noise = generator("input:z_noise").standard_normal((1, 16, 4)).astype(np.float32)
    return {"hubert": hubert, "f0": f0.astype(np.float32), "noise": noise}
