"""Files as Talk3D's and its predecessors' programs write them, around small networks."""

import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

MODULE = "torch_utils.persistence"


def save_generator(path: Path, network: nn.Module, within: str | None = None) -> Path:
    """As EG3D's tools do it: objects of persistent classes say what they hold, and bring the source that reads it."""
    module = ModuleType(MODULE)
    vars(module)[_reconstruct_persistent_obj.__name__] = _reconstruct_persistent_obj
    _reconstruct_persistent_obj.__module__ = MODULE
    content = _persistent(network)
    with patch.dict(sys.modules, {MODULE.split(".")[0]: module, MODULE: module}):
        path.write_bytes(pickle.dumps(content if within is None else {within: content, "training_set_kwargs": None}))
    return path


def _reconstruct_persistent_obj(meta: dict[str, Any]) -> object:
    raise AssertionError("the file's code was run")


class _Persistent:
    """Pickled as an object of a persistent class is."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __reduce__(self) -> tuple[Any, ...]:
        meta = {
            "type": "class", "version": 6, "module_src": "raise SystemExit('ran')", "class_name": "Network",
            "state": self.state,
        }  # fmt: skip
        return _reconstruct_persistent_obj, (meta,)


def _persistent(network: nn.Module) -> object:
    """The module with all of ours in it made persistent; torch's own are pickled by their class."""
    state = dict(vars(network))
    state["_modules"] = {name: _persistent(each) for name, each in network.named_children()}
    if type(network).__module__.startswith("torch.nn"):
        copy = type(network).__new__(type(network))
        copy.__dict__.update(state)
        return copy
    return _Persistent({"_init_kwargs": {"w_dim": 512}, "_orig_class_name": type(network).__name__} | state)


def save_checkpoint(path: Path, networks: dict[str, nn.Module], null: Tensor, **more: Any) -> Path:
    """As Talk3D's trainer does it: with its optimiser and scheduler as whole objects."""
    optimiser = torch.optim.Adam([p for network in networks.values() for p in network.parameters()], 5e-4)
    for group in optimiser.param_groups:
        for values in group["params"]:
            values.grad = torch.ones_like(values)
    optimiser.step()
    content = {name: network.state_dict() for name, network in networks.items()}
    scheduler = torch.optim.lr_scheduler.StepLR(optimiser, 2, 0.98)
    torch.save(
        {"epoch": 30, "iter": 80_000, **content, "null_vector": nn.Parameter(null), **more,
         "optimizer": optimiser, "scheduler": scheduler}, path
    )  # fmt: skip
    return path
