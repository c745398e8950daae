"""A generator in the file that EG3D's tools write: objects that bring the source which reads them."""

import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from torch import nn

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
    state = {name: value for name, value in vars(network).items() if name != "size"}  # theirs have no such
    state["_modules"] = {name: _persistent(each) for name, each in network.named_children()}
    if type(network).__module__.startswith("torch.nn"):
        copy = type(network).__new__(type(network))
        copy.__dict__.update(state)
        return copy
    return _Persistent({"_init_kwargs": {"w_dim": 512}, "_orig_class_name": type(network).__name__} | state)
