"""Planes and pictures read at places of -1..1, bilinear, the last ones carried on beyond their edges."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def read(plane: Float[Tensor, "b c h w"], at: Float[Tensor, "b n s 2"]) -> Float[Tensor, "b c n s"]:
    """What a square plane holds at places of -1..1, across and down.

    Places are held in, rather than the sampler told to (`padding_mode="border"`): ONNX Runtime is ten times as fast so.
    """
    most = 1 - 1 / plane.shape[-1]
    return functional.grid_sample(plane, at.clamp(-most, most), padding_mode="zeros", align_corners=False)


def pixel_centres(side: int) -> Float[Tensor, "n 2"]:
    """-1..1 across and down, row by row."""
    centres = (torch.arange(side) + 0.5) * (2 / side) - 1
    down, right = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([right.flatten(), down.flatten()], 1)
