"""A face's skin, continued evenly over its eyes and its mouth: what lids are painted with."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.small.blur import blurred
from models.small.code_picture import CODE_SIDE

_LASHES = 2
"""Pixels around eyes and mouth that are not taken for skin."""
_LIT = 3
"""The power of its lightness that skin counts with: shadows and brows do not tell its colour."""
_BLURS = ((7, 1.0), (19, 0.05), (61, 0.002))
"""Widths in pixels, and how much each counts."""


def even_skin(
    texture: Float[Tensor, "b 4 256 256"], codes: Float[Tensor, "b 3 160 160"]
) -> Float[Tensor, "b 3 160 160"]:
    """Colours 0..1 over what a code picture covers. `texture`, `codes`: as `portrait_state.PortraitParts` has them."""
    off = (texture.shape[-1] - CODE_SIDE) // 2
    own = texture[:, :, off : off + CODE_SIDE, off : off + CODE_SIDE]
    hidden = (codes[:, 2:] < 1).float()
    known = 1 - functional.max_pool2d(hidden, 2 * _LASHES + 1, 1, _LASHES)
    skin = own * known * own[:, :3].mean(1, keepdim=True) ** _LIT
    total = torch.zeros_like(skin)
    for width, counts in _BLURS:
        total = total + counts * blurred(skin, width)
    return total[:, :3] / total[:, 3:].clamp(min=1e-9)
