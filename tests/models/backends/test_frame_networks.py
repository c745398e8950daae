"""Whether frames can be captured, on a device without values: nothing looks at one, nothing comes from the host."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from models.backends.graph_executor import driven
from tests.models.backends.frame_papers import FRAME_PAPERS

META = torch.device("meta")


class NothingUploaded(TorchFunctionMode):
    """Refuses tensors made of the host's numbers, such as lists of indices: each would be copied to the device."""

    REFUSED = (torch.tensor, torch.as_tensor, torch.from_numpy, Tensor.new_tensor)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func not in self.REFUSED, f"{func} brings numbers of the host"
        if func in (Tensor.__getitem__, Tensor.__setitem__):
            assert not any(isinstance(leaf, list | np.ndarray) for leaf in _index(args[1])), "a list of indices"
        return func(*args, **(kwargs or {}))


def _index(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


class NothingWaitedFor(TorchDispatchMode):
    """Refuses looks at values, shapes that depend on them, and tensors of the host."""

    REFUSED = ("_local_scalar_dense", "nonzero", "masked_select")

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        assert name not in self.REFUSED, f"{name} waits for the device"
        out = func(*args, **(kwargs or {}))
        assert all(not isinstance(x, Tensor) or x.device == META for x in tree_leaves(out)), f"{name} gives the host's"
        return out


@pytest.mark.parametrize("name", FRAME_PAPERS)
def test_from_a_drive_to_its_picture_all_stays_on_the_device(name: str) -> None:
    """At any level."""
    paper = FRAME_PAPERS[name].without_values()
    paint, networks = paper.painter(META), paper.captured(paper.stored[0])
    assert len(networks) == len(paper.reference(META)) > 1
    spec = paper.layout.driven_spec(paper.stored[0])
    for network in networks:
        run, given = driven(network, paint, paper), [tensor.zeros(META) for tensor in spec.inputs]
        with torch.inference_mode(), NothingUploaded(), NothingWaitedFor():
            drawn = run(*given)
        assert tuple(drawn.shape) == spec.output.shape and drawn.dtype == torch.uint8


@pytest.mark.parametrize(
    "look",
    [
        pytest.param(lambda x: x[..., [0, 2]], id="list"),
        pytest.param(lambda x: x * torch.tensor([1.0, 2.0, 3.0], device=META), id="new"),
        pytest.param(lambda x: x.new_tensor([1.0]), id="made like"),
        pytest.param(lambda x: torch.zeros(()) + 1, id="host"),
        pytest.param(lambda x: x.sum().item(), id="number"),
        pytest.param(lambda x: x[x > 0], id="chosen"),
    ],
)
def test_what_a_graph_cannot_hold_is_refused(look: Any) -> None:
    with pytest.raises((AssertionError, NotImplementedError, RuntimeError)), NothingUploaded(), NothingWaitedFor():
        look(torch.zeros(2, 3, device=META))
