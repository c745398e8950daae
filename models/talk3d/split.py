"""Layers of which each plane has its own, and how planes see one another."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

NAMES = ("xy", "yz", "zx")
"""Of the planes, as the released weights have them."""

Maps = Float[Tensor, "b 3 c h h"]
"""Features on the three planes."""


class Split(nn.Module):
    """The same kind of layer for each plane, with its own weights."""

    def __init__(self, name: str, make: Callable[[], nn.Module]) -> None:
        """`name`: of the weights, before the plane's."""
        super().__init__()
        for plane in NAMES:
            self.add_module(f"{name}_{plane}", make())

    def forward(self, x: Float[Tensor, "b 3 *n"]) -> Float[Tensor, "b 3 *m"]:
        """Each layer on its own plane."""
        return each(self.children(), x)


def each(layers: Iterable[nn.Module], x: Float[Tensor, "b 3 *n"]) -> Float[Tensor, "b 3 *m"]:
    """Three layers, each on its own plane."""
    return torch.stack([layer(plane) for layer, plane in zip(layers, x.unbind(1), strict=True)], 1)


def roll_out(maps: Maps) -> Float[Tensor, "b 3 3*c h h"]:
    """Each plane beside what the others hold along the axis that they share with it, in the order of the planes.

    Two planes share one axis. The mean of the other over its own axis is laid out along the shared one.
    """
    along_rows, along_columns = maps.mean(-2)[..., None].expand_as(maps), maps.mean(-1)[..., None, :].expand_as(maps)
    beside = []
    for k in range(3):
        after, before = (k + 1) % 3, (k + 2) % 3
        parts = {k: maps[:, k], after: along_rows[:, after], before: along_columns[:, before]}
        beside.append(torch.cat([parts[place] for place in range(3)], 1))
    return torch.stack(beside, 1)
