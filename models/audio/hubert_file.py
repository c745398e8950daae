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
    file = _find(path)
    with torch.device("meta"):
        hubert = Hubert(size)
    expected = hubert.state_dict()
    kernel = expected.pop(f"{_POSITION}.weight")
    expected |= {f"{_POSITION}.weight_g": kernel.new_empty(1, 1, kernel.shape[2]), f"{_POSITION}.weight_v": kernel}
    read = _read(file)
    state = {key: _widened(read[key]) for key in expected if key in read}
    if found := faults(state, expected):
        raise InputError(f"{file} is not HuBERT-large: {'; '.join(found)}; {_REMEDY}")
    size_of, direction = (state.pop(f"{_POSITION}.{name}") for name in ("weight_g", "weight_v"))
    state[f"{_POSITION}.weight"] = size_of * direction / direction.norm(dim=(0, 1), keepdim=True)
    hubert.load_state_dict(state, assign=True)
    return hubert.eval().requires_grad_(False)


def _find(path: Path) -> Path:
    if path.is_dir():
        found = [path / name for name in FILES if (path / name).is_file()]
        if not found:
            raise InputError(f"no {' or '.join(FILES)} in {path}; {_REMEDY}")
        return found[0]
    if not path.is_file():
        raise InputError(f"{path}: no such file; {_REMEDY}")
    return path


def _read(file: Path) -> dict[str, Tensor]:
    """Entries under today's names, without the prefix that a model with a head gives them."""
    content = named_tensors(read_content(file), file)
    plain = {key.removeprefix("hubert."): value for key, value in content.items()}
    return {_SPLIT_NAMES.get(key, key): value for key, value in plain.items()}


def _widened(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value
