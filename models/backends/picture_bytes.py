"""Networks' pictures as bytes."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def to_picture(image: Float[Tensor, "b c h w"]) -> UInt8[Tensor, "b h w c"]:
    """An image of -1..1 as bytes, cut off as the papers' released tools do it."""
    return ((image + 1) * 127.5).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
