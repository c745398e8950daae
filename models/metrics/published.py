"""Networks of published measures: a user's file of weights, held against the network that is to have them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from torch import Tensor, nn

from models.checkpoint import faults, named_tensors, read_content
from models.errors import InputError

NetworkT = TypeVar("NetworkT", bound=nn.Module)

_COUNTER = "num_batches_tracked"  # of training; older files lack it


def entries_of(path: Path) -> dict[str, Tensor]:
    """The weights in a file by name, without counters. Raises InputError: not a file of weights."""
    return {name: value for name, value in named_tensors(read_content(path), path).items() if _COUNTER not in name}


def with_weights(network: NetworkT, entries: Mapping[str, Tensor], path: Path, what: str) -> NetworkT:
    """The network with these weights, for use alone.

    Args:
        network: is changed.
        entries: exactly its own.
        path: where they come from, for the message.
        what: the network's name, for the message.

    Raises:
        InputError: an entry is missing, of another shape or type, not finite, or not part of it.
    """
    expected = {name: value for name, value in network.state_dict().items() if _COUNTER not in name}
    if found := faults(entries, expected):
        raise InputError(f"{path} is not {what}: {'; '.join(found)}")
    network.load_state_dict(dict(entries), strict=False)
    return network.eval().requires_grad_(False)
