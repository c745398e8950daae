"""Learned perceptual distance of two pictures, with weights that a user brings."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from models.errors import InputError
from models.metrics.published import entries_of, with_weights

Backbone = Literal["vgg16", "alexnet"]
Pictures = Float[Tensor, "b 3 h w"]
"""-1..1."""

_VGG16 = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512)
_TAPS: dict[Backbone, tuple[int, ...]] = {"vgg16": (3, 8, 15, 22, 29), "alexnet": (1, 4, 7, 9, 11)}
_LINEAR: dict[Backbone, str] = {"vgg16": "vgg.pth", "alexnet": "alex.pth"}
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_TINY = 1e-10


class Lpips(nn.Module):
    """Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", 2018, version 0.1."""

    shift: Tensor
    scale: Tensor

    def __init__(self, backbone: Backbone) -> None:
        """`backbone`: in torchvision's layout."""
        super().__init__()
        self.backbone = backbone
        self.features = _vgg16() if backbone == "vgg16" else _alexnet()
        self.taps = _TAPS[backbone]
        widths = [self._width_at(tap) for tap in self.taps]
        self.linear = nn.ModuleList(nn.Conv2d(width, 1, 1, bias=False) for width in widths)
        self.register_buffer("shift", torch.tensor(_SHIFT)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE)[:, None, None], persistent=False)

    @classmethod
    def read(cls, backbone: Path, linear: Path) -> "Lpips":
        """Of two files: the backbone's, whichever of both it is, and that of the linear layers.

        Raises InputError: a file that is not one of these, or not of the other one's backbone.
        """
        entries = {name: value for name, value in entries_of(backbone).items() if not name.startswith("classifier.")}
        first = entries.get("features.0.weight")
        if first is None or first.ndim != 4:
            raise InputError(f"{backbone} is neither torchvision's VGG16 nor its AlexNet: it has no features.0.weight")
        name: Backbone = "alexnet" if first.shape[-1] == 11 else "vgg16"
        network = cls(name)
        renamed = {f"linear.{key[3:4]}.weight": value for key, value in entries_of(linear).items() if _is_linear(key)}
        if len(renamed) != len(network.linear):
            raise InputError(f"{linear} is not the linear layers of LPIPS: give weights/v0.1/{_LINEAR[name]}")
        return with_weights(network, entries | renamed, backbone, f"{name} with the linear layers of {linear.name}")

    @torch.inference_mode()
    def distance(self, got: UInt8[np.ndarray, "h w 3"], want: UInt8[np.ndarray, "h w 3"]) -> float:
        """The distance, 0 for equal pictures."""
        a, b = (torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1 for image in (got, want))
        return float(self.between(a, b))

    def between(self, got: Pictures, want: Pictures) -> Float[Tensor, "b"]:
        """The distance of each pair, 0 for equal pictures, where gradients are finite."""
        seen = zip(self.linear, self._seen(got), self._seen(want), strict=True)
        return torch.stack([linear((a - b) ** 2).mean((1, 2, 3)) for linear, a, b in seen]).sum(0)

    def _seen(self, pictures: Pictures) -> list[Tensor]:
        x, found = (pictures - self.shift) / self.scale, []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self.taps:
                found.append(x / (torch.linalg.vector_norm(x, dim=1, keepdim=True) + _TINY))
        return found

    def _width_at(self, tap: int) -> int:
        return next(layer.out_channels for layer in reversed(list(self.features)[:tap]) if isinstance(layer, nn.Conv2d))


def _is_linear(key: str) -> bool:
    return key.startswith("lin") and key.endswith(".model.1.weight")


def _vgg16() -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for width in _VGG16:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
    return nn.Sequential(*layers)


def _alexnet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
    )  # fmt: skip
