"""How far a picture is from the teacher's."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.metrics.structure import structural_similarity

Picture = Float[Tensor, "b c h w"]

_DETAIL = 20.0


class Losses(NamedTuple):
    """Of a batch, each a number."""

    colour: Tensor
    edges: Tensor
    structure: Tensor
    head: Tensor
    steady: Tensor

    def total(self) -> Tensor:
        """What is learnt from."""
        return self.colour + 0.7 * self.edges + 0.1 * self.structure + 0.4 * self.head + 0.5 * self.steady


def losses(drawn: Picture, alpha: Picture, picture: Picture, head: Picture, weight: Picture) -> Losses:
    """Pictures lie in pairs of the same avatar; `weight`: 0..1, 1 in mouth and eyes."""
    importance = 1 + _DETAIL * weight**2
    off = drawn - picture
    moved = off.unflatten(0, (-1, 2))
    halves = (functional.avg_pool2d(x, 2) for x in (drawn, picture))
    return Losses(
        colour=(off.abs() * importance).mean(),
        edges=_edges(drawn, picture, importance),
        structure=1 - structural_similarity(*halves, span=1.0, window_px=5),
        head=(alpha - head).abs().mean(),
        steady=((moved[:, 0] - moved[:, 1]).abs() * importance.unflatten(0, (-1, 2)).amax(1)).mean(),
    )


def _edges(one: Picture, other: Picture, importance: Picture) -> Tensor:
    total = one.new_zeros(())
    for _ in range(3):
        for axis in (2, 3):
            differ = (one - other).diff(dim=axis).abs()
            total = total + (differ * importance.narrow(axis, 1, differ.shape[axis])).mean()
        one, other, importance = (functional.avg_pool2d(x, 2) for x in (one, other, importance))
    return total / 6
