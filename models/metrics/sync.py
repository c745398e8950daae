"""How well lips and voice go together, by a network that a user brings."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int16, UInt8
from torch import Tensor, nn
from torch.nn import functional as fn

from models.metrics.cepstrum import RATE_HZ, cepstrum
from models.metrics.face_cutter import Face, FaceCutter, Points
from models.metrics.published import entries_of, with_weights

FPS = 25
"""Of the pictures that it sees."""

SPAN = 5
"""Pictures that it sees at a time."""
_HOPS = 4  # frames of sound to each
_FARTHEST = 15  # pictures by which lips and voice are shifted against each other
_AT_ONCE = 16


class Sync(NamedTuple):
    """What SyncNet says of a clip."""

    confidence: float
    """LSE-C: how much nearer the best shift is than the median of all; more is better."""
    distance: float
    """LSE-D: the mean distance of lips and voice at the best shift; less is better."""


class SyncNet(nn.Module):
    """Chung and Zisserman, "Out of time: automated lip sync in the wild", 2016; used as Prajwal et al., 2020, do."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_flat(1, 64, (3, 3), 1), nn.MaxPool2d((1, 1), (1, 1)),
            *_flat(64, 192, (3, 3), 1), nn.MaxPool2d((3, 3), (1, 2)),
            *_flat(192, 384, (3, 3), 1), *_flat(384, 256, (3, 3), 1), *_flat(256, 256, (3, 3), 1),
            nn.MaxPool2d((3, 3), (2, 2)), *_flat(256, 512, (5, 4), 0),
        )  # fmt: skip
        self.netfcaud, self.netfclip = _head(), _head()
        self.netcnnlip = nn.Sequential(
            *_deep(3, 96, (5, 7, 7), 2, 0), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_deep(96, 256, (1, 5, 5), 2, 1), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_deep(256, 256, (1, 3, 3), 1, 1), *_deep(256, 256, (1, 3, 3), 1, 1), *_deep(256, 256, (1, 3, 3), 1, 1),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)), *_deep(256, 512, (1, 6, 6), 1, 0),
        )  # fmt: skip

    @classmethod
    def read(cls, path: Path) -> "SyncNet":
        """Of the published file. Raises InputError: it is another one."""
        return with_weights(cls(), entries_of(path), path, "SyncNet")

    def watch(self, face: Points) -> "Watched":
        """Begins to judge a clip; `face`: where it is taken to be until it is found."""
        return Watched(self, face)

    def forward(self, faces: Float[Tensor, "b 5 3 224 224"]) -> Float[Tensor, "b 1024"]:
        """What five pictures in a row look like, with gradients; RGB, 0..255."""
        seen = faces.flip(2).transpose(1, 2)
        return self._embedded(self.netcnnlip, self.netfclip, [seen[k : k + 1] for k in range(len(seen))])

    @torch.no_grad()
    def lips(self, faces: UInt8[np.ndarray, "t 224 224 3"]) -> Float[Tensor, "windows 1024"]:
        """The same of every five pictures in a row; `faces` as `cut_face` gives them."""
        seen = torch.from_numpy(faces).permute(0, 3, 1, 2).float()
        return self(seen.unfold(0, SPAN, 1).movedim(-1, 1))

    @torch.no_grad()
    def voice(self, samples: Int16[np.ndarray, "n"], count: int) -> Float[Tensor, "count 1024"]:
        """What is heard in the first so many windows of five pictures; `samples`: 16 kHz."""
        heard = torch.from_numpy(cepstrum(samples).T.astype(np.float32))[None, None]
        heard = heard.to(next(self.parameters()).device)
        windows = [heard[..., i * _HOPS : (i + SPAN) * _HOPS] for i in range(count)]
        return self._embedded(self.netcnnaud, self.netfcaud, windows)

    def _embedded(self, network: nn.Sequential, head: nn.Sequential, windows: list[Tensor]) -> Tensor:
        parts = [torch.cat(windows[i : i + _AT_ONCE]) for i in range(0, len(windows), _AT_ONCE)]
        return torch.cat([head(network(part).flatten(1)) for part in parts])


class Watched:
    """A clip that SyncNet sees picture by picture; few of them are kept at a time."""

    def __init__(self, network: SyncNet, face: Points) -> None:
        """`face`: see `SyncNet.watch`."""
        self._network, self._cutter = network, FaceCutter(face)
        self._faces: list[Face] = []
        self._lips: list[Tensor] = []
        self._count = 0

    def see(self, image: UInt8[np.ndarray, "h w 3"], face: Points | None) -> None:
        """The next picture, 25 a second, not to be written to; None: its face is not found."""
        for cut in self._cutter.take(image, face):
            self._add(cut)

    def _add(self, face: Face) -> None:
        self._count += 1
        self._faces.append(face)
        if len(self._faces) == _AT_ONCE + SPAN - 1:
            self._lips.append(self._network.lips(np.stack(self._faces)))
            self._faces = self._faces[_AT_ONCE:]

    def judge(self, samples: Int16[np.ndarray, "n"]) -> Sync | None:
        """Lips against voice, once all was seen; None where fewer than two seconds of both are there.

        `samples`: 16 kHz, from the first picture's instant on.
        """
        for cut in self._cutter.rest():
            self._add(cut)
        if min(self._count / FPS, len(samples) / RATE_HZ) < 2:
            return None
        rest = [self._network.lips(np.stack(self._faces))] if len(self._faces) >= SPAN else []
        count = min(self._count, len(samples) * FPS // RATE_HZ) - SPAN
        lips = torch.cat([*self._lips, *rest])[:count]
        voice = fn.pad(self._network.voice(samples, count), (0, 0, _FARTHEST, _FARTHEST))
        shifts = range(2 * _FARTHEST + 1)
        distances = torch.stack([fn.pairwise_distance(lips, voice[k : k + count]).mean() for k in shifts])
        return Sync(float(distances.median() - distances.min()), float(distances.min()))


def _flat(before: int, after: int, kernel: tuple[int, int], padding: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, kernel, padding=padding), nn.BatchNorm2d(after), nn.ReLU()]


def _deep(before: int, after: int, kernel: tuple[int, int, int], stride: int, padding: int) -> list[nn.Module]:
    convolution = nn.Conv3d(before, after, kernel, (1, stride, stride), (0, padding, padding))
    return [convolution, nn.BatchNorm3d(after), nn.ReLU()]


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))
