"""Looking up places between the cells of a volume."""

from itertools import product
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Beyond = Literal["zeros", "border"]
"""What lies outside: nothing, or what lies at the nearest border."""


def look_into(
    volume: Float[Tensor, "b c d h w"], where: Float[Tensor, "b p q r 3"], beyond: Beyond
) -> Float[Tensor, "b c p q r"]:
    """Trilinear. `where`: (x, y, z), -1..1 from the centre of the first cell to that of the last."""
    if torch.onnx.is_in_onnx_export():  # runtimes of exported networks look up pictures alone
        return gathered(volume, where, beyond)
    return functional.grid_sample(volume, where, padding_mode=beyond, align_corners=True)


def gathered(
    volume: Float[Tensor, "b c d h w"], where: Float[Tensor, "b p q r 3"], beyond: Beyond
) -> Float[Tensor, "b c p q r"]:
    """The same from the eight cells around each place."""
    b, channels, *size = (int(n) for n in volume.shape)  # numbers while a network is traced, too
    places = where.shape[1:4]
    cells = volume.flatten(2).transpose(1, 2).flatten(0, 1)
    first = torch.arange(b, device=where.device)[:, None] * (size[0] * size[1] * size[2])
    axes = [_corners(where[..., 2 - i].flatten(1), n, beyond) for i, n in enumerate(size)]
    seen = None
    for (z, in_z), (y, in_y), (x, in_x) in product(*axes):
        cell = first + (z * size[1] + y) * size[2] + x
        part = cells.index_select(0, cell.flatten()) * (in_z * in_y * in_x).flatten()[:, None]
        seen = part if seen is None else seen + part
    assert seen is not None
    return seen.reshape(b, *places, channels).permute(0, 4, 1, 2, 3)


def _corners(at: Float[Tensor, "b n"], cells: int, beyond: Beyond) -> list[tuple[Tensor, Tensor]]:
    """Along one axis: the cells before and after each place, and their weights."""
    at = (at + 1) / 2 * (cells - 1)
    if beyond == "border":
        at = at.clamp(0, cells - 1)
    before = at.floor()
    corners = []
    for cell, weight in ((before, before + 1 - at), (before + 1, at - before)):
        inside = cell.clamp(0, cells - 1)
        corners.append((inside.long(), weight * (cell == inside)))
    return corners
