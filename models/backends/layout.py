"""How weights lie in memory."""

from collections.abc import Sequence
from copy import deepcopy
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


def stored_as(
    network: N, stored: torch.dtype, within: Sequence[str] = ("",), wide: tuple[type[nn.Module], ...] = ()
) -> N:
    """A network whose weights have another type, for features of that type; the network itself for float32.

    Args:
        network: in float32, not changed; what keeps its type is shared with it.
        stored: the type.
        within: names of the parts whose weights get it; by default all.
        wide: kinds of modules whose own weights keep theirs.
    """
    if stored == torch.float32:
        return network
    copy = deepcopy(network, {id(values): values for values in (*network.parameters(), *network.buffers())})
    for part in (part for name in within for part in copy.get_submodule(name).modules()):
        if not isinstance(part, wide):
            for name, weight in list(part.named_parameters(recurse=False)):
                part.register_parameter(name, nn.Parameter(weight.to(stored), requires_grad=False))
            for name, values in list(part.named_buffers(recurse=False)):
                part.register_buffer(name, values.to(stored) if values.is_floating_point() else values)
    return copy
