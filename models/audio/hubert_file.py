"""HuBERT from a user's own copy of `facebook/hubert-large-ls960-ft`. Nothing of it comes with this package."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from models.audio.hubert import Hubert, HubertSize
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
    state = _read(file)
    with torch.device("meta"):
        hubert = Hubert(size)
    shapes = {key: value.shape for key, value in hubert.state_dict().items()}
    kernel = shapes.pop(f"{_POSITION}.weight")
    shapes |= {f"{_POSITION}.weight_g": torch.Size([1, 1, kernel[2]]), f"{_POSITION}.weight_v": kernel}
    faults = [f"{key} is missing" for key in shapes if key not in state]
    faults += [
        f"{key} is {tuple(state[key].shape)}, not {tuple(shape)}"
        for key, shape in shapes.items()
        if key in state and state[key].shape != shape
    ]
    faults += [f"{key} does not hold finite numbers" for key in shapes if key in state and not _is_finite(state[key])]
    if faults:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise InputError(f"{file} is not HuBERT-large: {'; '.join(faults[:3])}{more}; {_REMEDY}")
    state = {key: state[key].float() for key in shapes}
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
    try:
        if file.suffix == ".safetensors":
            content = load_file(file)
        else:
            content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except PermissionError:
        raise InputError(f"{file} cannot be read: permission denied") from None
    except SafetensorError as error:
        raise InputError(f"{file} is not a safetensors file, or damaged ({error}); {_REMEDY}") from None
    except Exception as error:  # damaged bytes lead torch to whatever error
        reason = " ".join(str(error).split())[:100]
        raise InputError(f"{file} is not a file of weights, or damaged ({reason}); {_REMEDY}") from None
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(f"{file} holds other things than weights by name; {_REMEDY}")
    plain = {str(key).removeprefix("hubert."): value for key, value in content.items()}
    return {_SPLIT_NAMES.get(key, key): value for key, value in plain.items()}


def _is_finite(value: Tensor) -> bool:
    return value.is_floating_point() and bool(value.isfinite().all())
