"""The transformer's code of places. Released weights hold it; whoever begins with new ones makes it."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def place_code(side: int, width: int) -> Float[Tensor, "1 places channels"]:
    """[1, side^2, 3 * width].

    Sines and cosines of a place's three coordinates in a cube, cut to `width` numbers, and of these, for each plane,
    the mean of the two middle layers across it.
    """
    wide = 2 * math.ceil(width / 6)
    rates = 1 / torch.pow(10_000, torch.arange(0, wide, 2) / wide)
    waves = torch.arange(side)[:, None] * rates
    code = torch.stack([waves.sin(), waves.cos()], -1).flatten(1)
    axes = (code[:, None, None], code[None, :, None], code[None, None, :])
    cube = torch.cat([axis.expand(side, side, side, -1) for axis in axes], -1)[..., :width]
    middle = slice(side // 2 - 1, side // 2 + 1)
    planes = [cube[:, :, middle].mean(2), cube[middle].mean(0), cube[:, middle].mean(1)]
    return torch.cat([plane.reshape(side**2, width) for plane in planes], 1)[None]
