"""Checkpoints that others' trainers wrote: read without running anything in them, and held against a network."""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.errors import AgentError, InputError

_ZIP = b"PK\x03\x04"
_NUMBERS: list[Any] = [
    np.float64(0).__reduce__()[0],  # a trainer's best result may be a number of numpy's; these make nothing else
    np.dtype,
    *{type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8")},
]
_COMPILED = "_orig_mod."  # torch.compile puts it into names
_NAMED = 4  # entries of each fault that a message names


def read_content(path: Path) -> Any:
    """What was saved, on the CPU. Nothing in the file is executed.

    Raises InputError, in one line: no such file, code in it, not a file of torch's or of safetensors, or damaged.
    """
    if path.is_dir() or not path.exists():
        raise InputError(f"{path} is {'a folder' if path.is_dir() else 'not there'}; give the file of the weights")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with path.open("rb") as file:
            mappable = file.read(len(_ZIP)) == _ZIP  # torch's older format is read as a whole
        with warnings.catch_warnings(), torch.serialization.safe_globals(_NUMBERS):
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mappable)
    except PermissionError:
        raise InputError(f"{path} cannot be read: permission denied") from None
    except Exception as error:  # damaged bytes lead the readers to whatever error
        if code := re.search(r"GLOBAL (\S+)", str(error)):
            raise InputError(
                f"{path} wants to run code while it is read ({code[1]}), and is refused: get it from where it was "
                "published"
            ) from None
        raise InputError(f"{path} is not a file of weights, or damaged; get it again") from None


def network_entries(content: Any, path: Path) -> dict[str, Any]:
    """Entries of the network called `model` in a trainer's checkpoint, nested or flat; other networks are left out.

    Raises InputError if there is none; `path` is for the message.
    """
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise InputError(f"{path} is not a trainer's checkpoint: it has no state_dict")
    entries = state.get("model")
    if not isinstance(entries, dict):
        entries = {str(name)[6:]: value for name, value in state.items() if str(name).startswith("model.")}
    if not entries:
        raise InputError(f"{path} is not a checkpoint of this kind: there is no model in its state_dict")
    return {str(name).replace(_COMPILED, ""): value for name, value in entries.items()}


def entries_under(key: str) -> Callable[[Any, Path], dict[str, Any]]:
    """How to come by the entries of the network that a checkpoint holds under a key."""

    def entries(content: Any, path: Path) -> dict[str, Any]:
        """Raises InputError if there are none; `path` is for the message."""
        state = content.get(key) if isinstance(content, dict) else None
        if not isinstance(state, dict) or not state:
            raise InputError(f"{path} is not a checkpoint of this kind: it has no {key}")
        return {str(name): value for name, value in state.items()}

    return entries


def named_tensors(content: Any, path: Path) -> dict[str, Tensor]:
    """The content of a file that holds nothing but weights by name.

    Raises InputError if it holds anything else; `path` is for the message.
    """
    if not isinstance(content, dict) or not all(is_plain(value) for value in content.values()):
        raise InputError(f"{path} holds other things than weights by name; get it from where it was published")
    return {str(name): value for name, value in content.items()}


def is_plain(value: Any) -> bool:
    """Whether it is a tensor of numbers that are all there, each in a place of its own."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.device.type != "cpu":
        return False
    return not value.is_quantized and value.untyped_storage().nbytes() >= value.numel() * value.element_size()


def faults(entries: Mapping[str, Any], expected: Mapping[str, Tensor]) -> list[str]:
    """How entries differ from a network's, one phrase per kind of fault, long lists shortened.

    Args:
        entries: from a file.
        expected: the network's own, on any device; only shapes and types count.
    """
    both = [name for name in expected if name in entries]
    plain = [name for name in both if is_plain(entries[name])]
    shapes = [
        f"{name}: {list(entries[name].shape)}, not {list(expected[name].shape)}"
        for name in plain
        if entries[name].shape != expected[name].shape
    ]
    types = [
        f"{name}: {_kind(entries[name])}, not {_kind(expected[name])}"
        for name in plain
        if entries[name].dtype != expected[name].dtype
    ]
    alike = [n for n in plain if (entries[n].shape, entries[n].dtype) == (expected[n].shape, expected[n].dtype)]
    endless = [name for name in alike if not bool(entries[name].isfinite().all())]
    kinds = (
        ("missing", [name for name in expected if name not in entries]),
        ("not part of it", [name for name in entries if name not in expected]),
        ("no tensors", [name for name in both if name not in plain]),
        ("of another shape", shapes),
        ("of another type", types),
        ("not finite", endless),
    )
    return [f"{len(names)} {kind} ({_some(names)})" for kind, names in kinds if names]


def write_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Writes a safetensors file; tensors that share memory become independent. Raises AgentError if it cannot."""
    written: dict[str, Tensor] = {}
    memories: set[int] = set()
    for name, tensor in tensors.items():
        memory = tensor.untyped_storage()
        alone = memory.data_ptr() not in memories and tensor.is_contiguous()
        memories.add(memory.data_ptr())
        written[name] = tensor.detach() if alone else tensor.detach().clone(memory_format=torch.contiguous_format)
    try:
        save_file(written, path)
    except SafetensorError:  # of writing: the system's, in words of its own
        raise AgentError(
            f"{path} cannot be written; make room in its folder, or name another one in AGENT_DATA"
        ) from None


def size_bytes(tensors: Iterable[Tensor]) -> int:
    """Of all values together."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
