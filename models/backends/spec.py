"""NetworkSpec: a network's inputs and outputs, declared once and read by everything that runs it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Dtype = Literal["float32", "float16", "uint8"]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output."""

    name: str
    shape: tuple[int, ...]
    dtype: Dtype = "float32"

    @property
    def torch_dtype(self) -> torch.dtype:
        """The type of its values in torch."""
        dtype = getattr(torch, self.dtype)
        assert isinstance(dtype, torch.dtype)
        return dtype

    @property
    def numpy_dtype(self) -> np.dtype:
        """The type of its values in numpy."""
        return np.dtype(self.dtype)

    def zeros(self, device: torch.device | str = "cpu") -> Tensor:
        """A tensor of this kind."""
        return torch.zeros(self.shape, dtype=self.torch_dtype, device=device)


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network whose shapes are fixed: tensors in, one tensor out."""

    name: str
    """As in names of files."""
    inputs: tuple[TensorSpec, ...]
    output: TensorSpec
