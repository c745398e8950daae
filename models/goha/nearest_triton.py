"""Which point is nearest to each place, by a kernel that keeps no distances."""

import torch
import triton
from jaxtyping import Float, Int64
from torch import Tensor

from models.goha.nearest_kernels import find_nearest

PLACES, POINTS = 32, 64
"""Of a tile: what a program compares at once."""


def nearest_by_kernel(points: Float[Tensor, "b n 2"], places: Float[Tensor, "m 2"]) -> Int64[Tensor, "b m"]:
    """`lifting.nearest` on a GPU; float32, all finite. Nothing waits for the GPU."""
    (b, n, _), m = points.shape, len(places)
    found = torch.empty((b, m), dtype=torch.int64, device=points.device)
    given = points.contiguous(), places.contiguous(), found
    find_nearest[(triton.cdiv(m, PLACES), b)](*given, n, m, PLACES=PLACES, POINTS=POINTS)
    return found
