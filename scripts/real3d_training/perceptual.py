"""Perceptual loss by a VGG whose weights a user brings (VGG19 of torchvision, VGG-Face in the same names)."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.checkpoint import faults
from models.errors import InputError
from models.metrics.published import entries_of

_CONV = re.compile(r"features\.(\d+)\.weight")
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Of the first convolution of each size, coarser ones more."""


class Perceptual(nn.Module):
    """A `Likeness` by what a VGG sees."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, path: Path) -> None:
        """Raises InputError if the file is no VGG in torchvision's names."""
        super().__init__()
        content = {name: value for name, value in entries_of(path).items() if name.startswith("features.")}
        found = sorted(int(match[1]) for name in content if (match := _CONV.fullmatch(name)))
        if not found or found[0] != 0:
            raise InputError(f"{path} is no VGG in torchvision's names (features.0.weight, ...)")
        if wrong := faults(content, _expected(content, found)):
            raise InputError(f"{path} is no VGG in torchvision's names: {'; '.join(wrong)}")
        self._stages: list[list[int]] = [[]]
        for number, before in zip(found, [0, *found], strict=False):
            if number - before > 2:  # a pooling lies between
                self._stages.append([])
            self._stages[-1].append(number)
            for kind in ("weight", "bias"):
                self.register_buffer(f"{kind}{number}", content[f"features.{number}.{kind}"])
        self.register_buffer("mean", torch.tensor(_MEAN).reshape(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(_DEVIATION).reshape(3, 1, 1))

    def forward(self, seen: Tensor, wanted: Tensor) -> Tensor:
        """Weighted mean difference of features; pictures in -1..1."""
        x = (torch.cat([seen, wanted]).clamp(-1, 1) + 1) / 2
        x, total = (x - self.mean) / self.deviation, seen.new_zeros(())
        for share, stage in zip(_SHARES, self._stages, strict=False):
            for number in stage:
                x = functional.relu(
                    functional.conv2d(
                        x, self.get_buffer(f"weight{number}"), self.get_buffer(f"bias{number}"), padding=1
                    )
                )
                if number == stage[0]:
                    ours, theirs = x.chunk(2)
                    total = total + share * functional.l1_loss(ours, theirs.detach())
            if min(x.shape[-2:]) < 2:
                break
            x = functional.max_pool2d(x, 2)
        return total


def _expected(content: Mapping[str, Tensor], convolutions: Sequence[int]) -> dict[str, Tensor]:
    """Convolutions of 3 x 3, one after the other, as many channels wide as their biases are long; on meta."""
    expected, width = {}, 3
    for number in convolutions:
        before, width = width, content.get(f"features.{number}.bias", torch.empty(0)).numel()
        expected[f"features.{number}.weight"] = torch.empty(width, before, 3, 3, device="meta")
        expected[f"features.{number}.bias"] = torch.empty(width, device="meta")
    return expected
