"""How weights lie in memory."""

from typing import TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


def channels_last(network: N) -> N:
    """The network, its 2-D kernels laid out channels last; feature maps then follow.

    Tensor cores read them so; CPUs are spared the way into blocks of channels and back at every layer.
    """
    for values in (*network.parameters(), *network.buffers()):
        if values.ndim == 4:
            values.data = values.data.contiguous(memory_format=torch.channels_last)
    return network
