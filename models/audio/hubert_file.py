"""HuBERT from a user's own copy of `facebook/hubert-large-ls960-ft`. Nothing of it comes with this package."""

from pathlib import Path

import torch
from torch import Tensor

from models.audio.hubert import Hubert, HubertSize
from models.checkpoint import faults, named_tensors, read_content
from models.errors import InputError

FILES = ("model.safetensors", "pytorch_model.bin")
"""Names of the weights in a folder, the first that is there is taken."""

_POSITION = "encoder.pos_conv_embed.conv"
_SPLIT_NAMES = {
    f"{_POSITION}.parametrizations.weight.original0": f"{_POSITION}.weight_g",
    f"{_POSITION}.parametrizations.weight.original1": f"{_POSITION}.weight_v",
}
_NAME = "HuBERT-large"
_REMEDY = "bring model.safetensors or pytorch_model.bin of facebook/hubert-large-ls960-ft"


def load_hubert(path: Path, size: HubertSize | None = None) -> Hubert:
    """HuBERT for inference, in float32.

    Args:
        path: the file of the weights, or the folder that it lies in.
        size: None is the large model.

    Nothing in the file is ever executed. The head for recognising letters and what only training needs are left out.

    Raises:
        InputError: no such file, not one of weights, damaged, or other entries than these; the faults in one line.
    """
    file = find_file(path, _REMEDY)
    with torch.device("meta"):
        hubert = Hubert(size)
    state = fitting(read_entries(file, "hubert."), hubert.state_dict(), "", file, _NAME, _REMEDY)
    hubert.load_state_dict(state, assign=True)
    return hubert.eval().requires_grad_(False)


def fitting(
    entries: dict[str, Tensor], wanted: dict[str, Tensor], prefix: str, file: Path, name: str, remedy: str
) -> dict[str, Tensor]:
    """The state of a network that has a HuBERT in it, in float32.

    Args:
        entries: of a file, see `read_entries`.
        wanted: the network's own; only names, shapes and types count.
        prefix: of HuBERT's names among these.
        file, name, remedy: for the message: which it is, what it should be, and what to do.

    Raises InputError if entries are missing or others than these.
    """
    position = prefix + _POSITION
    expected = dict(wanted)
    kernel = expected.pop(f"{position}.weight")
    expected |= {f"{position}.weight_g": kernel.new_empty(1, 1, kernel.shape[2]), f"{position}.weight_v": kernel}
    state = {key: _widened(entries[key]) for key in expected if key in entries}
    if found := faults(state, expected):
        raise InputError(f"{file} is not {name}: {'; '.join(found)}; {remedy}")
    size_of, direction = (state.pop(f"{position}.{half}") for half in ("weight_g", "weight_v"))
    state[f"{position}.weight"] = size_of * direction / direction.norm(dim=(0, 1), keepdim=True)
    return state


def find_file(path: Path, remedy: str) -> Path:
    """The file itself, or the first of `FILES` in a folder. Raises InputError, which ends with `remedy`."""
    if path.is_dir():
        found = [path / name for name in FILES if (path / name).is_file()]
        if not found:
            raise InputError(f"no {' or '.join(FILES)} in {path}; {remedy}")
        return found[0]
    if not path.is_file():
        raise InputError(f"{path}: {'not a file' if path.exists() else 'no such file'}; {remedy}")
    return path


def read_entries(file: Path, prefix: str) -> dict[str, Tensor]:
    """Entries under today's names, without the prefix that a model with a head gives them. Raises InputError."""
    content = named_tensors(read_content(file), file)
    plain = {key.removeprefix(prefix): value for key, value in content.items()}
    return {_today(key): value for key, value in plain.items()}


def _today(name: str) -> str:
    for old, new in _SPLIT_NAMES.items():
        name = name.replace(old, new)
    return name


def _widened(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value
