"""Networks whose features have 16 bits, on a CPU as a GPU computes them."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from models.backends.paper import Paper

_SUMS = (
    "addmm", "avg_pool3d", "baddbmm", "bmm", "conv1d", "conv2d", "conv3d", "conv_transpose2d", "convolution", "linear",
    "matmul", "mm", "scaled_dot_product_attention", "upsample_nearest3d",
)  # fmt: skip


class RoundedProducts(TorchDispatchMode):
    """Sums of 16-bit tensors as a GPU computes them: in float32, then rounded."""

    SUMS = tuple(getattr(torch.ops.aten, name) for name in _SUMS)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The operation's result."""
        if func.overloadpacket not in self.SUMS:
            return func(*args, **(kwargs or {}))
        stored = next(x.dtype for x in args if isinstance(x, Tensor))
        wide = [x.float() if isinstance(x, Tensor) else x for x in args]
        return func(*wide, **(kwargs or {})).to(stored)


def emulated_frame(paper: Paper, stored: str, state: Any, drive: Any) -> np.ndarray:
    """The picture of a frame network as it is exported.

    Args:
        paper: whose model lies on the CPU.
        stored: type of the features, one of torch's floating-point types.
        state: in float32.
        drive: of the frame.
    """
    dtype = getattr(torch, stored)
    with torch.no_grad(), RoundedProducts():
        fresh = paper.painter(torch.device("cpu"))(state, drive)
        return paper.exported(stored)(*paper.seen(paper.stored_as(state, dtype)), *fresh)[0].numpy()  # type: ignore[arg-type]  # bfloat16 is for comparison
