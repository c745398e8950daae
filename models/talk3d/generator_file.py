"""A personalised generator from the file that it was saved in, as EG3D's tools save networks.

Such a file is a pickle whose objects bring their own source code, which their reader is meant to run. Here objects
become plain records of what was said of them, and nothing is looked up by name but what makes tensors.
"""

import io
import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError

_MAKER = "_reconstruct_persistent_obj"
_INERT_MODULES = ("torch.nn.modules.", "numpy.", "numpy")
_BUILTINS = ("builtins", "__builtin__")
_AVERAGED = "G_ema"  # what a training's file calls the generator
_DEEPEST = 50


class _Record(dict[Any, Any]):
    """Anything that is not a tensor: what was said of it."""

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__()
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _RefusedError(Exception):
    """The file names something that is not on the list."""


class _TwiceError(Exception):
    """A part of the network lies in several places, and so would be read any number of times."""


class _Reader(pickle.Unpickler):
    """Knows the few names below; everything that it makes is a tensor, a container or a record."""

    def find_class(self, module: str, name: str) -> Any:
        if name == _MAKER:
            return _persistent
        if module in _BUILTINS and name in ("set", "dict"):
            return {"set": set, "dict": dict}[name]
        if module == "torch" and isinstance(kind := getattr(torch, name, None), torch.dtype):
            return kind
        if found := _makers().get(f"{module}.{name}"):
            return found
        if module.startswith(_INERT_MODULES) or name == "EasyDict":
            return _Record
        raise _RefusedError(f"{module}.{name}")


def read_generator(path: Path) -> dict[str, Tensor]:
    """The generator's entries by name, on the CPU. Nothing in the file is executed.

    Raises InputError, in one line: no such file, code in it, damaged, or not a network of this kind.
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = _Reader(file).load()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except _RefusedError as error:
        raise InputError(
            f"{path} wants to run code while it is read ({error}), and is refused: get it from where it was published"
        ) from None
    except Exception:  # damaged bytes lead the readers to whatever error
        raise InputError(f"{path} is not a file of a generator, or damaged; get it again") from None
    if isinstance(content, dict) and _AVERAGED in content:
        content = content[_AVERAGED]
    entries: dict[str, Tensor] = {}
    try:
        _collect(content, "", entries, set(), _DEEPEST)
    except _TwiceError:
        raise InputError(f"{path} holds a part of its network twice, as no generator does; get it again") from None
    if not entries:
        raise InputError(f"{path} holds no network; give the generator that was saved as a whole")
    return entries


def _collect(module: object, prefix: str, entries: dict[str, Tensor], met: set[int], depth: int) -> None:
    """The tensors of a module and of those within it, as torch names them; `met`: what was looked into before."""
    state = module.state if isinstance(module, _Record) else None
    if not isinstance(state, dict) or depth == 0:
        return
    parts = [part for kind in ("_parameters", "_buffers", "_modules") if isinstance(part := state.get(kind), dict)]
    for once in (module, state, *parts):
        if id(once) in met:
            raise _TwiceError
        met.add(id(once))
    for part in parts:
        for name, each in part.items():
            if isinstance(each, Tensor):
                entries[f"{prefix}{name}"] = each
            else:
                _collect(each, f"{prefix}{name}.", entries, met, depth - 1)


def _persistent(meta: dict[str, Any]) -> _Record:
    record = _Record()
    record.state = meta["state"]
    return record


def _makers() -> dict[str, Callable[..., Any]]:
    """New ones for every use, as a pickle can set attributes of what it is given."""

    def tensor(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Tensor:
        last = offset + sum((count - 1) * step for count, step in zip(size, stride, strict=True))
        if last >= storage.size():  # torch would make the storage larger
            raise ValueError("a tensor that is larger than its values")
        return torch.empty(0, dtype=storage.dtype).set_(storage._untyped_storage, offset, size, stride)

    def parameter(values: Tensor, *_: object) -> Tensor:
        return values

    def storage(data: bytes) -> Any:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)

    return {
        "collections.OrderedDict": OrderedDict,
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_parameter": parameter,
        "torch.storage._load_from_bytes": storage,
    }
