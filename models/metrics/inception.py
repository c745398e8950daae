"""The Inception network whose features the Frechet distance (FID) is taken of, with weights that a user brings."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn
from torch.nn import functional as fn

from models.metrics.published import entries_of, with_weights

_SIDE = 299
_CLASSES = 1008  # of a layer that no feature passes through

Kernel = int | tuple[int, int]
_ACROSS, _ALONG = (1, 7), (7, 1)


class Inception(nn.Module):
    """Inception v3 as TensorFlow published it for the FID: Szegedy et al., "Rethinking the Inception architecture"."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = _Conv(32, 64, 3, padded=True)
        self.Conv2d_3b_1x1 = _Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = _Conv(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _Fine(192, 32), _Fine(256, 64), _Fine(288, 64)
        self.Mixed_6a = _ToMiddle(288)
        self.Mixed_6b, self.Mixed_6c = _Middle(768, 128), _Middle(768, 160)
        self.Mixed_6d, self.Mixed_6e = _Middle(768, 160), _Middle(768, 192)
        self.Mixed_7a = _ToCoarse(768)
        self.Mixed_7b, self.Mixed_7c = _Coarse(1280, averages=True), _Coarse(2048, averages=False)
        self.fc = nn.Linear(2048, _CLASSES)

    @classmethod
    def read(cls, path: Path) -> "Inception":
        """Of pytorch-fid's file. Raises InputError: it is another one."""
        return with_weights(cls(), entries_of(path), path, "the Inception network of the FID")

    @torch.inference_mode()
    def features(self, image: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "2048"]:
        """The features of one picture."""
        x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
        x = 2 * fn.interpolate(x, size=(_SIDE, _SIDE), mode="bilinear", align_corners=False) - 1
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(fn.max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(fn.max_pool2d(x, 3, 2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean((2, 3))[0].numpy()


class _Conv(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, before: int, after: int, kernel: Kernel, stride: int = 1, padded: bool = False) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if padded else (0, 0)
        self.conv = nn.Conv2d(before, after, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return fn.relu(self.bn(self.conv(x)))


def _same(before: int, after: int, kernel: Kernel) -> _Conv:
    return _Conv(before, after, kernel, padded=True)


def _average(x: Tensor) -> Tensor:
    """Of what lies in the picture alone."""
    return fn.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class _Fine(nn.Module):
    def __init__(self, before: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _same(before, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = _same(before, 48, 1), _same(48, 64, 5)
        self.branch3x3dbl_1 = _same(before, 64, 1)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = _same(64, 96, 3), _same(96, 96, 3)
        self.branch_pool = _same(before, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        twice = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        five = self.branch5x5_2(self.branch5x5_1(x))
        return torch.cat([self.branch1x1(x), five, twice, self.branch_pool(_average(x))], 1)


class _ToMiddle(nn.Module):
    def __init__(self, before: int) -> None:
        super().__init__()
        self.branch3x3 = _Conv(before, 384, 3, stride=2)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _same(before, 64, 1), _same(64, 96, 3)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        twice = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), twice, fn.max_pool2d(x, 3, 2)], 1)


class _Middle(nn.Module):
    def __init__(self, before: int, inner: int) -> None:
        super().__init__()
        self.branch1x1 = _same(before, 192, 1)
        self.branch7x7_1, self.branch7x7_2 = _same(before, inner, 1), _same(inner, inner, _ACROSS)
        self.branch7x7_3 = _same(inner, 192, _ALONG)
        self.branch7x7dbl_1, self.branch7x7dbl_2 = _same(before, inner, 1), _same(inner, inner, _ALONG)
        self.branch7x7dbl_3, self.branch7x7dbl_4 = _same(inner, inner, _ACROSS), _same(inner, inner, _ALONG)
        self.branch7x7dbl_5 = _same(inner, 192, _ACROSS)
        self.branch_pool = _same(before, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat([self.branch1x1(x), once, twice, self.branch_pool(_average(x))], 1)


class _ToCoarse(nn.Module):
    def __init__(self, before: int) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = _same(before, 192, 1), _Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1, self.branch7x7x3_2 = _same(before, 192, 1), _same(192, 192, _ACROSS)
        self.branch7x7x3_3, self.branch7x7x3_4 = _same(192, 192, _ALONG), _Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), seven, fn.max_pool2d(x, 3, 2)], 1)


class _Coarse(nn.Module):
    """The last of them takes the greatest in place of the average, as the published graph does."""

    def __init__(self, before: int, averages: bool) -> None:
        super().__init__()
        self.averages = averages
        self.branch1x1 = _same(before, 320, 1)
        self.branch3x3_1 = _same(before, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = _same(384, 384, (1, 3)), _same(384, 384, (3, 1))
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _same(before, 448, 1), _same(448, 384, 3)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = _same(384, 384, (1, 3)), _same(384, 384, (3, 1))
        self.branch_pool = _same(before, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once, twice = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = _average(x) if self.averages else fn.max_pool2d(x, 3, stride=1, padding=1)
        parts = [self.branch1x1(x), self.branch3x3_2a(once), self.branch3x3_2b(once)]
        parts += [self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice), self.branch_pool(pooled)]
        return torch.cat(parts, 1)
